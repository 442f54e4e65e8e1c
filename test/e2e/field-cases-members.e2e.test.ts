import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Manifest } from '../../src/manifest/schema.ts';
import { defragmentCalls } from '../adapters/etcd/filled-cluster.ts';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { type DefragDocument, makeWorkplace, skippedIn, type Workplace } from './support/defrag-command.ts';
import { requireStatus, startWarden } from './support/warden-process.ts';

interface BackupDocument {
  readonly manifest: Manifest;
  readonly skippedMembers: readonly { readonly name: string; readonly reason: string }[];
}

interface StatusDocument {
  readonly members: readonly {
    readonly name: string;
    readonly role: string;
    readonly isReachable: boolean;
    readonly unreachableBecause: string | null;
  }[];
}

let place: Workplace;
beforeEach(async () => {
  place = await makeWorkplace();
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
});

const backUp = async (): Promise<BackupDocument> =>
  requireStatus(await place.run('backup'), 0).json() as BackupDocument;
const defrag = async (exitStatus: number, ...args: readonly string[]): Promise<DefragDocument> =>
  requireStatus(await place.run('defrag', ...args), exitStatus).json() as DefragDocument;
const status = async (): Promise<StatusDocument> =>
  requireStatus(await place.run('status'), 0).json() as StatusDocument;

/** Defragment calls that arrived at any member since they were started. */
async function callsAt(cluster: Cluster): Promise<number> {
  const counts = await Promise.all(cluster.members.map(defragmentCalls));
  return counts.reduce((sum, count) => sum + count, 0);
}

describe('three members', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ members: 3 });
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  // field: F050
  test('of which one is reached under the URL of another: nobody is defragmented, and it is said who answered', async () => {
    const [first = '', second = ''] = cluster.endpoints;
    await place.configure({
      cluster: { name: 'test', endpoints: cluster.endpoints, endpointMap: { [first]: second } },
    });
    const refused = await defrag(4, '--force-rule');
    expect(refused).toMatchObject({ because: 'unreachable-voter' });
    expect(refused.explanation).toMatch(/no answer from m1 \(.*member \w+, expected \w+/);
    expect(await callsAt(cluster)).toBe(0);
    expect((await backUp()).manifest.member.name).not.toBe('m1');
  });

  // field: F050
  test('of which one is listed under two names counts once, so that nobody is defragmented', async () => {
    const [first = '', second = ''] = cluster.endpoints;
    const endpoints = [first, first.replace('127.0.0.1', 'localhost'), second];
    await place.configure({ cluster: { name: 'test', endpoints, discovery: 'static' } });
    const refused = await defrag(4, '--force-rule');
    expect(refused).toMatchObject({ because: 'split-view' });
    expect(refused.explanation).toContain('is listed more than once');
    expect(await callsAt(cluster)).toBe(0);
  });

  // field: F058
  // BC-25
  test('and a learner: a backup is taken and voters are defragmented, the learner is shown and left alone', async () => {
    await cluster.join('m4', { learner: true });
    await place.configure({ cluster: { name: 'test', endpoints: cluster.endpoints }, defrag: { pause: '0s' } });
    const { manifest, skippedMembers } = await backUp();
    expect(manifest.member.name).not.toBe('m4');
    expect(skippedMembers).toEqual([{ name: 'm4', reason: 'a learner' }]);
    const learner = expect.objectContaining({ name: 'm4', role: 'learner', isReachable: true }) as unknown;
    // One that has just joined answers as soon as it has heard of its leader.
    await vi.waitFor(async () => expect((await status()).members).toContainEqual(learner), 20_000);
    const done = await defrag(0, '--force-rule');
    expect(done.members.map(({ name }) => name).sort()).toEqual(['m1', 'm2', 'm3']);
    expect(skippedIn(done)).toEqual({ m4: 'learner: refuses to be defragmented' });
    expect(await callsAt(cluster)).toBe(3);
  });

  // field: F060
  test('and one that was added and never started: a backup is taken, and nobody is defragmented', async () => {
    await cluster.etcdctl(['member', 'add', 'm5', '--peer-urls=http://127.0.0.1:1']);
    await place.configure({ cluster: { name: 'test', endpoints: cluster.endpoints } });
    const calls = await callsAt(cluster);
    const refused = await defrag(4, '--force-rule');
    expect(refused).toMatchObject({ because: 'unstarted-member' });
    expect(refused.explanation).toContain('added to the cluster and never started');
    expect(await callsAt(cluster)).toBe(calls);
    expect((await status()).members).toContainEqual(expect.objectContaining({ role: 'not started' }));
    const { skippedMembers } = await backUp();
    expect(skippedMembers.map(({ reason }) => reason)).toContain('was added to the cluster but never started');
  });

  // field: F049
  test('of which one is a black hole and one has ended still give a backup in time, and it says whose', async () => {
    await using own = await startCluster({ members: 3 });
    const [first = ''] = own.endpoints;
    await using hole = await startTcpProxy(first);
    hole.set({ kind: 'blackhole' });
    await own.members[1]?.process[Symbol.asyncDispose]();
    const endpointMap = { [first]: `http://${hole.address}` };
    await place.configure({ cluster: { name: 'test', endpoints: own.endpoints, endpointMap } });
    const startedMs = performance.now();
    const { manifest, skippedMembers } = await backUp();
    expect(performance.now() - startedMs).toBeLessThan(30_000);
    expect(manifest.member.name).toBe('m3');
    expect(skippedMembers.map(({ name }) => name).sort()).toEqual(['m1', 'm2']);
  });
});

// BC-24
describe('a member that advertises a URL that nobody can look up', () => {
  test('is named with that URL, by every command, until endpointMap says where it is', async () => {
    const advertised = 'http://etcd-0.no-such-zone.invalid:2379';
    await using cluster = await startCluster({ args: [`--advertise-client-urls=${advertised}`] });
    const section = { name: 'test', endpoints: cluster.endpoints };
    await place.configure({ cluster: section, defrag: { allowSingleMember: true } });
    expect((await status()).members).toMatchObject([
      { isReachable: false, unreachableBecause: expect.stringContaining(advertised) as unknown },
    ]);
    const failed = await place.run('backup');
    expect([failed.status, failed.stdout]).toEqual([1, expect.stringContaining(advertised)]);
    const refused = await defrag(4);
    expect(refused).toMatchObject({ because: 'unreachable-voter' });
    expect(refused.explanation).toContain(advertised);
    const endpointMap = { [advertised]: cluster.endpoints[0] };
    await place.configure({ cluster: { ...section, endpointMap }, defrag: { allowSingleMember: true } });
    expect((await backUp()).manifest.member.name).toBe('m1');
    expect((await defrag(0, '--force-rule')).members).toHaveLength(1);
  });
});

describe('with authentication', () => {
  // field: F052
  test('only a user with the root role defragments, and any other is told so', async () => {
    await using cluster = await startCluster({ auth: { user: 'root', password: 'rootpw' } });
    await cluster.etcdctl(['user', 'add', 'reader:readerpw']);
    const configureAs = async (username: string, password: string): Promise<void> => {
      const passwordFile = await place.write(username, password);
      const section = { name: 'test', endpoints: cluster.endpoints, auth: { username, passwordFile } };
      await place.configure({ cluster: section, defrag: { allowSingleMember: true } });
    };
    await configureAs('reader', 'readerpw');
    const refused = await place.run('defrag', '--force-rule');
    expect([refused.status > 0, refused.stdout]).toEqual([true, expect.stringMatching(/permission denied|root role/)]);
    expect(await callsAt(cluster)).toBe(0);
    await configureAs('root', 'rootpw');
    expect((await defrag(0, '--force-rule')).members).toHaveLength(1);
  });

  // field: F053
  test('a process that runs on logs in again, when its token has expired and when etcd has forgotten it', async () => {
    await using cluster = await startCluster({
      auth: { user: 'root', password: 'rootpw' },
      args: ['--auth-token-ttl=1'],
    });
    const passwordFile = await place.write('root', 'rootpw');
    const auth = { username: 'root', passwordFile };
    await place.configure({ cluster: { name: 'test', endpoints: cluster.endpoints, auth } });
    const { configFile } = place;
    await using watching = startWarden(['status', '--watch', '3s'], { configFile });
    /** Looks that found what takes a token to be told. */
    const looks = (): number => watching.printed().stdout.split('no alarms').length - 1;
    await vi.waitFor(() => expect(looks()).toBeGreaterThanOrEqual(2), 20_000);
    expect(watching.printed().stdout).not.toContain('NO QUORUM');
    await cluster.members[0]?.restart();
    const before = looks();
    await vi.waitFor(() => expect(looks()).toBeGreaterThan(before), 20_000);
  });
});
