import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EtcdMember, SnapshotStream } from '../../../src/ports/etcd.ts';
import { collect } from '../../support/byte-streams.ts';
import { type Cluster, type ClusterMember, openReadTransactions, startCluster } from '../../support/etcd.ts';
import { cleanEnvironment } from '../../support/process.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { serverBinary } from '../../support/toolchain.ts';
import { memberAt, never } from './connect.ts';

let cluster: Cluster;
let server: ClusterMember;
let member: EtcdMember;

beforeAll(async () => {
  cluster = await startCluster();
  const [first] = cluster.members;
  if (first === undefined) throw new Error('a cluster without members');
  server = first;
  member = memberAt(server.endpoint);
  // More than the windows and sockets on the way hold, so that a reader that waits makes etcd wait.
  const fill = [`--endpoints=${server.endpoint}`, '--count=24000', '--size=2048', '--batch=64'];
  await promisify(execFile)(serverBinary('etcdfill'), fill, { env: cleanEnvironment() });
});
afterAll(async () => {
  await member[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const open = (from: EtcdMember = member, idleTimeoutMs = 10_000, signal = never): Promise<SnapshotStream> =>
  from.openSnapshot({ idleTimeoutMs }, signal);

/** Runs `during` after the first block and reads on. */
async function readAndBreak(stream: SnapshotStream, during: () => void): Promise<void> {
  let isFirst = true;
  for await (const _ of stream) {
    if (isFirst) during();
    isFirst = false;
  }
}

// field: F006
test('a member that is stopped in the middle has stalled, in time', async () => {
  await using stream = await open(member, 1_500);
  let stoppedMs = 0;
  const stop = (): void => {
    server.process.signal('SIGSTOP');
    stoppedMs = performance.now();
  };
  try {
    await expect(readAndBreak(stream, stop)).rejects.toMatchObject({ code: 'stream-stalled' });
    expect(performance.now() - stoppedMs).toBeGreaterThan(1_400);
    expect(performance.now() - stoppedMs).toBeLessThan(4_000);
    await stream[Symbol.asyncDispose]();
    // Nor does a new stream or call hang at a stopped member.
    await expect(open()).rejects.toMatchObject({ code: 'etcd-unreachable' });
  } finally {
    server.process.signal('SIGCONT');
  }
});

// field: F003
test('a connection cut after 40 % interrupts the stream', async () => {
  await using proxy = await startTcpProxy(server.endpoint);
  await using proxied = memberAt(`http://${proxy.address}`);
  const { dbSizeBytes } = await member.status(never);
  proxy.set({ kind: 'cut', afterBytes: Math.floor(dbSizeBytes * 0.4) });
  await using stream = await open(proxied);
  await expect(collect(stream)).rejects.toMatchObject({
    code: 'stream-interrupted',
    message: expect.stringMatching(/after \d+ of \d+ bytes/) as unknown,
  });
});

test('a network that swallows everything from the middle on has stalled', async () => {
  await using proxy = await startTcpProxy(server.endpoint);
  await using proxied = memberAt(`http://${proxy.address}`);
  proxy.set({ kind: 'stall', afterBytes: 5_000_000 });
  await using stream = await open(proxied, 1_000);
  await expect(collect(stream)).rejects.toMatchObject({ code: 'stream-stalled' });
});

// field: F007
test('a slow network is no reason to give up as long as bytes come', async () => {
  await using proxy = await startTcpProxy(server.endpoint);
  await using proxied = memberAt(`http://${proxy.address}`);
  proxy.set({ kind: 'throttle', bytesPerSecond: 20_000_000 });
  await using stream = await open(proxied, 1_000);
  const startedMs = performance.now();
  expect(await collect(stream)).toHaveLength(stream.totalBytes);
  expect(performance.now() - startedMs).toBeGreaterThan(2_000);
});

/** etcd refreshes the metric when it commits, so there has to be something to commit. */
async function readTransactionsNow(): Promise<number> {
  await cluster.etcdctl(['put', 'tick', 'tock']);
  return openReadTransactions(server);
}

const waysToLeave: readonly (readonly [
  string,
  (stream: SnapshotStream, stop: AbortController) => PromiseLike<unknown>,
])[] = [
  ['is disposed', (stream) => stream[Symbol.asyncDispose]()],
  [
    'is left early',
    async (stream) => {
      for await (const _ of stream) break;
    },
  ],
  [
    'meets an error of its consumer',
    async (stream) => {
      for await (const _ of stream) throw new Error('disk full');
    },
  ],
  ['is aborted while it is read', (stream, stop) => readAndBreak(stream, () => stop.abort())],
  ['is aborted while nobody reads', (_stream, stop) => Promise.resolve(stop.abort())],
];
test.each(waysToLeave)('etcd drops its read transaction within two seconds when a stream %s', async (_, leave) => {
  const stop = new AbortController();
  // Three, because etcd itself holds one or two now and then.
  const streams = await Promise.all([1, 2, 3].map(() => open(member, 10_000, stop.signal)));
  await expect.poll(readTransactionsNow, { timeout: 5_000 }).toBeGreaterThanOrEqual(4);
  await Promise.allSettled(streams.map((stream) => leave(stream, stop)));
  await expect.poll(readTransactionsNow, { timeout: 2_000, interval: 100 }).toBeLessThanOrEqual(2);
});

/** The states of a process's threads, as proc(5) spells them: `T` is stopped. */
async function threadStates(pid: number): Promise<ReadonlySet<string>> {
  const threads = await readdir(`/proc/${pid}/task`);
  const stats = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8')));
  return new Set(stats.map((stat) => stat.slice(stat.lastIndexOf(')') + 2).charAt(0)));
}

test('a call to a stopped member ends at its deadline, and the next one does not wait behind it', async () => {
  await member.status(never);
  server.process.signal('SIGSTOP');
  try {
    // The signal takes effect a moment after it was sent; until then the member still answers.
    await expect.poll(() => threadStates(server.process.pid)).toEqual(new Set(['T']));
    await expect(member.status(never)).rejects.toMatchObject({ code: 'etcd-deadline' });
  } finally {
    server.process.signal('SIGCONT');
  }
  expect((await member.status(never)).version).toMatch(/^3\.6\./);
});

test('a member that is killed in the middle interrupts the stream', async () => {
  await using stream = await open();
  await expect(readAndBreak(stream, () => server.process.signal('SIGKILL'))).rejects.toMatchObject({
    code: 'stream-interrupted',
  });
  await server.restart();
  await using again = await open();
  expect(await collect(again)).toHaveLength(again.totalBytes);
});
