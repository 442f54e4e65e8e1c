import { status } from '@grpc/grpc-js';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/manifest/schema.ts';
import { craftSnapshot } from '../support/craft.ts';
import { type Cluster, type ClusterMember, startCluster } from '../support/etcd.ts';
import { type FakeAnswers, refusal, snapshotMessages, startFakeEtcd } from '../support/fake-etcd.ts';
import { etcdBuckets, revisionsOf } from '../support/mvcc-history.ts';
import { type S3Server, startS3Server } from '../support/s3.ts';
import type { Fault } from '../support/tcp-proxy.ts';
import { fill, leaderOf, mostReadTransactions, readTransactionsAfter } from './support/filled-cluster.ts';
import { awsEnvironment, makePlaces, type Places } from './support/places.ts';
import { proxyMembers, type ProxiedCluster } from './support/proxied-cluster.ts';
import { type EndedWarden, requireStatus, type RunningWarden, startWarden } from './support/warden-process.ts';

const idleTimeoutMs = 2_000;
const snapshot = { idleTimeout: `${idleTimeoutMs / 1000}s` };

interface BackupDocument {
  readonly manifest: Manifest;
  readonly skippedMembers: readonly { readonly name: string; readonly reason: string }[];
}

const codeOf = (run: EndedWarden): string => (run.json() as { error: { code: string } }).error.code;

let cluster: Cluster;
let proxied: ProxiedCluster;
let s3: S3Server;
let places: Places;
let configFile: string;
let env: Record<string, string>;
/** The last one to be asked. */
let leader: ClusterMember;
let followers: readonly ClusterMember[];

beforeAll(async () => {
  [cluster, s3] = await Promise.all([startCluster({ members: 3 }), startS3Server()]);
  env = awsEnvironment(s3.credentials);
  await fill(cluster.endpoints[0] ?? '', 30);
  proxied = await proxyMembers(cluster);
});
beforeEach(async () => {
  proxied.setAll({ kind: 'none' });
  places = await makePlaces(s3);
  configFile = await places.configure({ cluster: proxied.section, snapshot });
  leader = await leaderOf(cluster);
  followers = cluster.members.filter((member) => member !== leader);
});
afterEach(async () => {
  await places[Symbol.asyncDispose]();
});
afterAll(async () => {
  await proxied?.[Symbol.asyncDispose]();
  await Promise.all([cluster?.[Symbol.asyncDispose](), s3?.[Symbol.asyncDispose]()]);
});

/** A run that was served by `server` after `skipped` had failed, and that left whole backups and nothing else. */
async function expectServed(
  run: EndedWarden,
  server: readonly string[],
  skipped: readonly string[],
  exitStatus = 0,
): Promise<void> {
  const { manifest, skippedMembers } = requireStatus(run, exitStatus).json() as BackupDocument;
  expect(server).toContain(manifest.member.name);
  expect(skippedMembers.map(({ name }) => name).sort()).toEqual(skipped);
  const contents = await places.contents();
  for (const kind of [
    /^object .*\/manifest\.json$/,
    /^file .*\/manifest\.json$/,
    /^object .*\.enc$/,
    /^file .*\.enc$/,
  ]) {
    expect(contents.filter((name) => kind.test(name))).toHaveLength(1);
  }
  expect(contents.filter((name) => /^upload|\.part-/.test(name))).toEqual([]);
}

const run = (...args: string[]): Promise<EndedWarden> => startWarden([...args, '--json'], { configFile, env }).ended;
const namesOf = (members: readonly ClusterMember[]): string[] => members.map(({ name }) => name).sort();

/** Starts a backup whose stream is slow, resolves once it is well on its way, with the member that serves it. */
async function startSlowBackup(): Promise<{ warden: RunningWarden; serving: ClusterMember }> {
  const sent = (member: ClusterMember): number => proxied.proxyOf(member.name).downstreamBytes();
  const before = followers.map(sent);
  proxied.setAll({ kind: 'throttle', bytesPerSecond: 6_000_000 });
  const warden = startWarden(['backup', '--json'], { configFile, env });
  const isServing = (member: ClusterMember, index: number): boolean => sent(member) - (before[index] ?? 0) > 2_000_000;
  await expect.poll(() => followers.some(isServing), { timeout: 30_000 }).toBe(true);
  const serving = followers.find(isServing);
  if (serving === undefined) throw new Error('no follower serves');
  return { warden, serving };
}

/** Each with the exit status: bytes that arrive altered are damage, and somebody has to look at it. */
const inMidStream: readonly (readonly [string, Fault, number])[] = [
  // field: F003
  ['is cut', { kind: 'cut', afterBytes: 12_000_000 }, 0],
  // field: F006
  ['stalls', { kind: 'stall', afterBytes: 12_000_000 }, 0],
  ['arrives with one bit flipped', { kind: 'flip', atByte: 12_345_678 }, 5],
];

describe('in a cluster of three', () => {
  test.each(inMidStream)('the leader serves when the stream of each follower %s', async (_, fault, exitStatus) => {
    for (const { name } of followers) proxied.proxyOf(name).set(fault);
    await expectServed(await run('backup'), [leader.name], namesOf(followers), exitStatus);
  });

  test.each([
    // field: F006
    ['stopped', 'SIGSTOP'],
    // field: F160
    ['killed', 'SIGKILL'],
  ] as const)('another member serves when the one that streams is %s', async (_, signal) => {
    const { warden, serving } = await startSlowBackup();
    serving.process.signal(signal);
    const brokenMs = performance.now();
    proxied.setAll({ kind: 'none' });
    try {
      const others = cluster.members.filter((member) => member !== serving);
      await expectServed(await warden.ended, namesOf(others), [serving.name]);
      // Neither its stream nor its hash is waited for much longer than it takes to notice.
      expect(performance.now() - brokenMs).toBeLessThan(40_000);
    } finally {
      await (signal === 'SIGKILL' ? serving.restart() : serving.process.signal('SIGCONT'));
      await warden[Symbol.asyncDispose]();
    }
  });

  test.each(inMidStream)('nothing is stored and no transaction stays open when every stream %s', async (_, fault) => {
    const before = await Promise.all(cluster.members.map((member) => mostReadTransactions(cluster, member)));
    proxied.setAll(fault);
    const ended = await run('backup');
    expect([1, 3]).toContain(ended.status);
    expect(['stream-interrupted', 'stream-stalled', 'trailer-mismatch']).toContain(codeOf(ended));
    expect(await places.contents()).toEqual([]);
    for (const [index, member] of cluster.members.entries()) {
      const most = before[index] ?? 0;
      expect(await readTransactionsAfter(cluster, member, most)).toBeLessThanOrEqual(most);
    }
  });

  // field: F003
  test('the run after an interrupted one succeeds', async () => {
    proxied.setAll({ kind: 'cut', afterBytes: 12_000_000 });
    const ended = await run('backup');
    expect(codeOf(ended)).toBe('stream-interrupted');
    expect(ended.status).toBe(1);
    proxied.setAll({ kind: 'none' });
    expect(await run('backup')).toMatchObject({ status: 0 });
  });
});

const writes = Array.from({ length: 200 }, (_, index) => ({
  key: `/registry/pods/default/p${index}`,
  value: Buffer.alloc(900, index),
  sameTransaction: false,
}));

// field: F007
test('a slow network is no reason to give up as long as bytes come, unless the stream is open for too long', async () => {
  proxied.setAll({ kind: 'throttle', bytesPerSecond: 9_000_000 });
  const { manifest } = requireStatus(await run('backup'), 0).json() as BackupDocument;
  expect(manifest.timings.streamHeldMs).toBeGreaterThan(idleTimeoutMs);
  configFile = await places.configure({ cluster: proxied.section, snapshot: { ...snapshot, maxStreamHold: '2500ms' } });
  const before = await places.contents();
  const limited = await run('backup');
  expect(codeOf(limited)).toBe('stream-held-too-long');
  expect(limited.status).toBe(1);
  expect(await places.contents()).toEqual(before);
});

describe('from one member', () => {
  const database = craftSnapshot(etcdBuckets(revisionsOf(writes))).subarray(0, -32);

  test('what the fake server sends in the tests below is a sound snapshot when nothing is wrong', async () => {
    const { ended } = await backUpFromFake(async (send) => {
      for (const message of snapshotMessages(database)) await send(message);
    });
    expect(ended.status).toBe(0);
  });

  // field: F006
  test('empty messages without end are a stalled stream within the idle limit and five seconds', async () => {
    let stalledMs = 0;
    const { ended, endedMs } = await backUpFromFake(async (send, cancelled) => {
      const [message] = snapshotMessages(database);
      await send(message ?? {});
      stalledMs = performance.now();
      while (!cancelled.aborted) await send({ remainingBytes: message?.remainingBytes ?? 0n }).then(() => delay(1));
    });
    expect(codeOf(ended)).toBe('stream-stalled');
    expect(ended.status).toBe(1);
    expect(endedMs - stalledMs).toBeLessThan(idleTimeoutMs + 5_000);
  });

  // field: F004
  test('a stream that ends in good order before its announced length is short', async () => {
    const { ended } = await backUpFromFake((send) =>
      send({ blob: database.subarray(0, 4096), remainingBytes: 12_288n }),
    );
    expect(codeOf(ended)).toBe('stream-short');
    expect(ended.status).toBe(3);
  });

  // field: F001
  test('a stream without the trailer is short although nothing remains by its own count', async () => {
    const { ended } = await backUpFromFake(async (send) => {
      for (const message of [...snapshotMessages(database)].slice(0, -1)) await send(message);
    });
    expect(codeOf(ended)).toBe('stream-short');
    expect(ended.status).toBe(3);
  });

  test('a trailer of other bytes is a mismatch', async () => {
    const { ended } = await backUpFromFake(async (send) => {
      for (const message of [...snapshotMessages(database)].slice(0, -1)) await send(message);
      await send({ blob: Buffer.alloc(32, 7) });
    });
    expect(codeOf(ended)).toBe('trailer-mismatch');
    expect(ended.status).toBe(3);
  });

  // field: F006
  test('a network that swallows everything from the middle on stalls it, within the idle limit and five seconds', async () => {
    const proxy = proxied.proxyOf(leader.name);
    const alone = { name: 'test', endpoints: [`http://${proxy.address}`], discovery: 'static' };
    configFile = await places.configure({ cluster: alone, snapshot });
    const before = proxy.downstreamBytes();
    proxy.set({ kind: 'stall', afterBytes: 12_000_000 });
    const running = run('backup');
    await expect.poll(() => proxy.downstreamBytes() - before, { timeout: 30_000 }).toBeGreaterThanOrEqual(12_000_000);
    const stalledMs = performance.now();
    const ended = await running;
    expect(performance.now() - stalledMs).toBeLessThan(idleTimeoutMs + 5_000);
    expect(codeOf(ended)).toBe('stream-stalled');
    expect(ended.status).toBe(1);
    expect(await places.contents()).toEqual([]);
  });

  /** One backup from a server that streams like this; whatever becomes of it, it leaves all or nothing. */
  async function backUpFromFake(streaming: FakeAnswers['snapshot']): Promise<{ ended: EndedWarden; endedMs: number }> {
    await using fake = await startFakeEtcd({
      snapshot: streaming,
      // What it would hash is not what it streams: it says that it cannot tell.
      hashKV: () => {
        throw refusal(status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted');
      },
    });
    configFile = await places.configure({ cluster: { name: 'test', endpoints: [fake.endpoint] }, snapshot });
    const ended = await run('backup');
    const endedMs = performance.now();
    if (ended.status !== 0) expect(await places.contents()).toEqual([]);
    return { ended, endedMs };
  }
});
