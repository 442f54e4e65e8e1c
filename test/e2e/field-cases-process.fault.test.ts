import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Cluster, type ClusterMember, startCluster } from '../support/etcd.ts';
import { type HttpProxy, type SeenRequest, startHttpProxy } from '../support/http-proxy.ts';
import { type S3Server, startS3Server } from '../support/s3.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { keepNothingElse } from './support/bucket-site.ts';
import { fill } from './support/filled-cluster.ts';
import { awsEnvironment, cloudRepository, localRepository, makePlaces, type Places } from './support/places.ts';
import { startAsProcessOne } from './support/process-one.ts';
import { type EndedWarden, requireStatus, type RunningWarden, startWarden } from './support/warden-process.ts';

const lockKey = '/etcd-warden/lock';
const lock = { lock: 'etcd', key: lockKey, ttl: '10s' };
const afterBackup = { backup: { cron: '* * * * *' }, prune: { after: 'backup' } };

let cluster: Cluster;
let first: ClusterMember;
let second: ClusterMember;
let s3: S3Server;
let s3Proxy: HttpProxy;
let places: Places;
let spool: string;
let env: Record<string, string>;

beforeAll(async () => {
  [cluster, s3] = await Promise.all([startCluster({ members: 3 }), startS3Server()]);
  const [one, other] = cluster.members;
  if (one === undefined || other === undefined) throw new Error('a cluster without members');
  [first, second] = [one, other];
  await fill(first.endpoint, 14);
  s3Proxy = await startHttpProxy(s3.endpoint);
});
beforeEach(async () => {
  places = await makePlaces(s3, s3Proxy.url);
  spool = join(places.folder, 'spool');
  await mkdir(spool);
  env = { ...awsEnvironment(s3.credentials), TMPDIR: join(places.folder, 'tmp') };
  await mkdir(join(places.folder, 'tmp'));
});
afterEach(async () => {
  s3Proxy.heal();
  await places[Symbol.asyncDispose]();
});
afterAll(async () => {
  await s3Proxy?.[Symbol.asyncDispose]();
  await Promise.all([cluster?.[Symbol.asyncDispose](), s3?.[Symbol.asyncDispose]()]);
});

/** Both repositories and a spool; what is left behind can be seen in `leftovers`. */
const configure = (endpoint: string, sections: object = {}): Promise<string> =>
  places.configure({
    cluster: { name: 'test', endpoints: [endpoint], discovery: 'static' },
    snapshot: { spool: { directory: spool, maxSize: '64MiB' } },
    repositories: [
      cloudRepository(s3Proxy.url, places.bucket, { partSize: '5MiB', concurrency: 1 }),
      localRepository(places.directory),
    ],
    log: { format: 'json' },
    ...sections,
  });
const start = (configFile: string, ...args: string[]): RunningWarden =>
  startWarden([...args, '--json'], { configFile, env });
const run = (configFile: string, ...args: string[]): Promise<EndedWarden> => start(configFile, ...args).ended;
const isPart = (number: number) => (request: SeenRequest) =>
  request.operation === 'UploadPart' && request.url.searchParams.get('partNumber') === `${number}`;

/** Everything that only a run that goes on may have: open uploads, unfinished files, spooled bytes, the lock. */
async function leftovers(): Promise<string[]> {
  return [
    ...(await places.contents()).filter((name) => /^upload |\.part-/.test(name)),
    ...(await readdir(spool)),
    ...(await readdir(join(places.folder, 'tmp'))),
    ...(await cluster.etcdctl(['get', lockKey, '--keys-only'])).split('\n').filter((line) => line !== ''),
  ];
}

// field: F151
describe('a command with a deadline', () => {
  const deadlineMs = 4_000;
  /** As Kubernetes does at activeDeadlineSeconds, which is more than the deadline and the time to release everything. */
  const killedAfterMs = 20_000;

  async function expectGivenUp(endpoint: string): Promise<void> {
    const configFile = await configure(endpoint, { coordination: lock });
    const startedMs = performance.now();
    await using warden = start(configFile, 'backup', '--deadline', `${deadlineMs / 1000}s`);
    using _ = disposable(setTimeout(() => warden.signal('SIGKILL'), killedAfterMs));
    const ended = requireStatus(await warden.ended, 1);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(deadlineMs);
    expect(ended.json()).toMatchObject({ error: { code: 'deadline-exceeded' } });
    expect(JSON.parse(lastLine(ended.stderr))).toMatchObject({ code: 'deadline-exceeded' });
  }

  test('gives up by itself, with that as its reason, where etcd stands still', async () => {
    second.process.signal('SIGSTOP');
    try {
      await expectGivenUp(second.endpoint);
    } finally {
      second.process.signal('SIGCONT');
    }
    expect(await leftovers()).toEqual([]);
  });

  test('gives up by itself, with that as its reason, where the stream stands still', async () => {
    await using proxy = await startTcpProxy(first.endpoint);
    proxy.set({ kind: 'stall', afterBytes: 6_000_000 });
    await expectGivenUp(`http://${proxy.address}`);
    expect(await leftovers()).toEqual([]);
  });
});

// field: F154
describe('as the first process of a container', () => {
  test('a backup ends cleanly at SIGTERM in the third part, with the status of the signal', async () => {
    const repositories = [cloudRepository(s3Proxy.url, places.bucket, { partSize: '5MiB', concurrency: 1 })];
    const configFile = await configure(first.endpoint, { coordination: lock, repositories });
    s3Proxy.break(isPart(3), { kind: 'swallow' });
    const arrived = s3Proxy.arrival(isPart(3));
    await using warden = await startAsProcessOne(['backup', '--json'], { configFile, env });
    await Promise.race([arrived, warden.ended]);
    expect(await cluster.etcdctl(['get', lockKey, '--print-value-only'])).toContain('process 1"');
    warden.signal('SIGTERM');
    const signalledMs = performance.now();
    const { status, stdout } = await warden.ended;
    expect(performance.now() - signalledMs).toBeLessThan(10_000);
    expect([status, JSON.parse(stdout)]).toMatchObject([143, { error: { code: 'interrupted' } }]);
    expect(await leftovers()).toEqual([]);
  });

  test('a second SIGTERM ends it at once, whatever it waits for', async () => {
    const configFile = await configure(first.endpoint);
    s3Proxy.break('UploadPart', { kind: 'swallow' });
    s3Proxy.break('AbortMultipartUpload', { kind: 'swallow' });
    const [uploading, aborting] = [s3Proxy.arrival('UploadPart'), s3Proxy.arrival('AbortMultipartUpload')];
    await using warden = await startAsProcessOne(['backup', '--json'], { configFile, env });
    await Promise.race([uploading, warden.ended]);
    warden.signal('SIGTERM');
    await Promise.race([aborting, warden.ended]);
    warden.signal('SIGTERM');
    const signalledMs = performance.now();
    expect((await warden.ended).status).toBe(143);
    // Without it the upload would be given up after 15 s.
    expect(performance.now() - signalledMs).toBeLessThan(5_000);
  });

  test('a SIGTERM that comes while the program is still being loaded is not lost', async () => {
    const configFile = await configure(first.endpoint);
    const fixture = join(import.meta.dirname, 'support/slow-import.fixture.ts');
    const nodeArgs = [`--import=${fixture}`];
    await using warden = await startAsProcessOne(['backup', '--json'], { configFile, env, nodeArgs });
    await warden.printed('importing');
    warden.signal('SIGTERM');
    expect((await warden.ended).status).toBe(143);
    expect(await places.contents()).toEqual([]);
  });
});

// field: F160
test('a backup whose only member is killed fails at once, and another agent takes the next one', async () => {
  await using proxy = await startTcpProxy(first.endpoint);
  proxy.set({ kind: 'throttle', bytesPerSecond: 10_000_000 });
  const mine = await configure(`http://${proxy.address}`, { coordination: lock });
  const theirs = await configure(second.endpoint, { coordination: lock });
  await using warden = start(mine, 'backup');
  await expect.poll(() => proxy.downstreamBytes(), { timeout: 60_000 }).toBeGreaterThan(10_000_000);
  first.process.signal('SIGKILL');
  const killedMs = performance.now();
  try {
    // Begun at once, it waits for the lock, which ends with its holder or with its lease.
    await using other = start(theirs, 'backup');
    const ended = requireStatus(await warden.ended, 1);
    expect(performance.now() - killedMs).toBeLessThan(35_000);
    expect(ended.json()).toMatchObject({ error: { code: expect.stringMatching(/^stream-|^no-member$/) as string } });
    requireStatus(await other.ended, 0);
    expect(await leftovers()).toEqual([]);
  } finally {
    await first.restart();
  }
});

describe('on the disk', () => {
  // field: F156
  test('nothing is left of runs that were killed, and nothing of others is touched', async () => {
    const configFile = await configure(first.endpoint, { schedules: afterBackup });
    await Promise.all([spool, places.directory].map((folder) => writeFile(join(folder, 'keep.me'), 'mine')));
    const startMidUpload = async (): Promise<RunningWarden> => {
      const arrived = s3Proxy.arrival('UploadPart');
      const warden = start(configFile, 'backup');
      await Promise.race([arrived, warden.ended]);
      return warden;
    };
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    s3Proxy.break('UploadPart', { kind: 'hold', until: released }, 1);
    await using living = await startMidUpload();
    s3Proxy.break('UploadPart', { kind: 'swallow' });
    for (let kill = 0; kill < 5; kill++) {
      await using doomed = await startMidUpload();
      doomed.signal('SIGKILL');
      expect(await doomed.ended).toMatchObject({ signal: 'SIGKILL' });
    }
    expect(await readdir(spool)).toEqual(['keep.me']);
    s3Proxy.heal();
    release();
    requireStatus(await living.ended, 0);
    requireStatus(await run(configFile, 'backup'), 0);
    expect(await readdir(spool)).toEqual(['keep.me']);

    // What they left in the repository is swept as soon as no run can live that long.
    const unfinished = (await readdir(places.directory, { recursive: true })).filter((name) => name.includes('.part-'));
    expect(unfinished).toHaveLength(5);
    const longAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
    for (const name of unfinished) await utimes(join(places.directory, name), longAgo, longAgo);
    requireStatus(await run(configFile, 'backup'), 0);
    const left = await readdir(places.directory, { recursive: true });
    expect(left.filter((name) => /\.part-|keep\.me/.test(name))).toEqual(['keep.me']);
  });

  // field: F158
  test('retention holds in a folder as it does in a bucket, each with its own policy, and the spool stays empty', async () => {
    const policy = (keepLast: number): object => ({ retention: { ...keepNothingElse, keepLast } });
    const configFile = await configure(first.endpoint, {
      repositories: [
        { ...cloudRepository(s3Proxy.url, places.bucket), ...policy(3) },
        { ...localRepository(places.directory), ...policy(2) },
      ],
      schedules: afterBackup,
    });
    const taken: string[] = [];
    for (let backup = 0; backup < 4; backup++) {
      taken.push((requireStatus(await run(configFile, 'backup'), 0).json() as { backup: string }).backup);
      expect(await readdir(spool)).toEqual([]);
    }
    const contents = (await places.contents()).join('\n');
    const kept = (kind: 'object' | 'file'): string[] =>
      taken.filter((id) => new RegExp(`^${kind} .*/${id}/manifest\\.json$`, 'm').test(contents));
    expect([kept('file'), kept('object')]).toEqual([taken.slice(-2), taken.slice(-3)]);
  });
});

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';
const disposable = (timer: NodeJS.Timeout): Disposable => ({ [Symbol.dispose]: () => clearTimeout(timer) });
