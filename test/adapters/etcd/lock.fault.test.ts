import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../../support/etcd.ts';
import { wardenError } from '../../support/errors.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { never } from './connect.ts';
import { leftBehind, lockFor, lockKey, lossOf, nothing, shortestTtlMs, take, takeWhenFree } from './lock-for.ts';
import { type Fate, type LockProxy, startLockProxy } from './lock-proxy.ts';

/** The bound that acquire promises: its own ten seconds, and three for what it takes back. */
const acquireBoundMs = 14_000;

/** A lock whose only way to the cluster is a proxy. */
function lockThrough({ endpoints }: Cluster, proxy: string, ttlMs = shortestTtlMs) {
  const endpointMap = new Map(endpoints.map((endpoint) => [endpoint, proxy]));
  return lockFor({ endpoints: [proxy], certificates: undefined }, { endpointMap, ttlMs });
}

async function startProxy({ endpoints }: Cluster): Promise<TcpProxy> {
  return startTcpProxy(endpoints[0] ?? '');
}

/** Loses the first answers to `call`, as many as are given. */
async function startLosing(cluster: Cluster, call: string, count: number): Promise<LockProxy> {
  let remaining = count;
  const fateOf = (name: string): Fate => (name === call && remaining-- > 0 ? 'lose' : 'pass');
  return startLockProxy(cluster.endpoints[0] ?? '', fateOf);
}

describe.each(['3.5', '3.6', '3.7'] as const)('when an answer of etcd %s is lost', (version) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ version });
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  test.each(['LeaseGrant', 'Txn'])('to %s, the lock is held as if nothing had been', async (call) => {
    await using proxy = await startLosing(cluster, call, 1);
    const held = await take(lockThrough(cluster, proxy.endpoint));
    expect(proxy.calls.filter((name) => name === call).length).toBeGreaterThan(1);
    await held.confirm(never);
    expect(await leftBehind(cluster)).toEqual({ leases: 1, keys: lockKey });
    expect(await lockFor(cluster).acquire('another', never)).toMatchObject({ kind: 'busy', holder: 'the test' });
    await held[Symbol.asyncDispose]();
    expect(await leftBehind(cluster)).toEqual(nothing);
  });

  test('to LeaseKeepAlive, the lease is renewed again', async () => {
    await using proxy = await startLosing(cluster, 'LeaseKeepAlive', 2);
    await using held = await take(lockThrough(cluster, proxy.endpoint));
    while (proxy.calls.filter((name) => name === 'LeaseKeepAlive').length < 5) {
      expect(held.lost.aborted).toBe(false);
      await delay(50);
    }
    await held.confirm(never);
  });

  test('to LeaseRevoke, the lock is given back all the same', async () => {
    await using proxy = await startLosing(cluster, 'LeaseRevoke', 1);
    const held = await take(lockThrough(cluster, proxy.endpoint));
    const beganMs = performance.now();
    await held[Symbol.asyncDispose]();
    expect(performance.now() - beganMs).toBeLessThan(2_000);
    expect(proxy.calls.filter((name) => name === 'LeaseRevoke').length).toBeGreaterThan(1);
    expect(await leftBehind(cluster)).toEqual(nothing);
  });
});

test('when every answer to Txn is lost, the lock is not held, and the key that was made is taken back', async () => {
  await using cluster = await startCluster();
  await using proxy = await startLosing(cluster, 'Txn', Infinity);
  const beganMs = performance.now();
  const outcome = await lockThrough(cluster, proxy.endpoint).acquire('the test', never);
  expect(performance.now() - beganMs).toBeLessThan(acquireBoundMs);
  expect(outcome).toMatchObject({ kind: 'unavailable', reason: expect.stringMatching(/during Txn/) as unknown });
  expect(await leftBehind(cluster)).toEqual(nothing);
});

test('a lock that can be renewed no more is lost before etcd ends its lease', async () => {
  await using cluster = await startCluster();
  await using proxy = await startProxy(cluster);
  const ttlMs = 3_000;
  await using held = await take(lockThrough(cluster, `http://${proxy.address}`, ttlMs));
  proxy.set({ kind: 'blackhole' });
  const { reason, waitedMs } = await lossOf(held);
  expect(await lockFor(cluster).acquire('another', never)).toMatchObject({ kind: 'busy', holder: 'the test' });
  expect(reason).toEqual(wardenError('lock-lost', 'could not be renewed', proxy.address));
  expect(waitedMs).toBeLessThan(ttlMs);
  proxy.set({ kind: 'none' });
});

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  'two of three members gone by %s: a lock is lost, none is to be had, and neither takes long',
  async (signal) => {
    await using cluster = await startCluster({ members: 3 });
    const ttlMs = 4_000;
    await using held = await take(lockFor(cluster, { ttlMs }));
    for (const member of cluster.members.slice(1)) member.process.signal(signal);
    const loss = await lossOf(held);
    expect(loss.reason).toEqual(wardenError('lock-lost', 'could not be renewed', cluster.endpoints[0] ?? ''));
    // Where the last member was the leader, it takes one more renewal until it notices that it is alone.
    expect(loss.waitedMs).toBeLessThan(1.5 * ttlMs);
    await expect(held.confirm(never)).rejects.toBe(loss.reason);
    const beganMs = performance.now();
    // Those that are gone are asked first.
    const lock = lockFor({ ...cluster, endpoints: cluster.endpoints.toReversed() });
    expect(await lock.acquire('another', never)).toMatchObject({
      kind: 'unavailable',
      reason: expect.stringMatching(/127\.0\.0\.1/) as unknown,
    });
    const acquiredMs = performance.now();
    expect(acquiredMs - beganMs).toBeLessThan(acquireBoundMs);
    await held[Symbol.asyncDispose]();
    expect(performance.now() - acquiredMs).toBeLessThan(5_500);
  },
);

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  'the member in use gone by %s: the lock is kept through another',
  async (signal) => {
    await using cluster = await startCluster({ members: 3 });
    const ttlMs = 6_000;
    const [first, ...others] = cluster.members;
    const held = await take(lockFor(cluster, { ttlMs }));
    first?.process.signal(signal);
    // The time that passes is what is tested.
    await delay(1.5 * ttlMs);
    await held.confirm(never);
    expect(held.lost.aborted).toBe(false);
    await held[Symbol.asyncDispose]();
    const rest = lockFor({ endpoints: others.map(({ endpoint }) => endpoint), certificates: undefined });
    await using again = await take(rest);
    await again.confirm(never);
  },
);

test('two of three ways to the cluster hang: the lock is kept through the third', async () => {
  await using cluster = await startCluster();
  await using one = await startProxy(cluster);
  await using two = await startProxy(cluster);
  const endpoints = [one, two].map(({ address }) => `http://${address}`).concat(cluster.endpoints);
  const ttlMs = 3_000;
  const held = await take(lockFor({ endpoints, certificates: undefined }, { discovery: 'static', ttlMs }));
  for (const proxy of [one, two]) proxy.set({ kind: 'blackhole' });
  // The time that passes is what is tested.
  await delay(2 * ttlMs);
  const beganMs = performance.now();
  await held.confirm(never);
  // Those that hang, and cost half a second each, are not asked first again.
  expect(performance.now() - beganMs).toBeLessThan(400);
  expect(held.lost.aborted).toBe(false);
  await held[Symbol.asyncDispose]();
  expect(await leftBehind(cluster)).toEqual(nothing);
});

test('a lock is to be had where the first endpoint is dead and the second a learner', async () => {
  await using cluster = await startCluster();
  const learner = await cluster.join('learner', { learner: true });
  const endpoints = ['http://127.0.0.1:9', learner.endpoint, ...cluster.endpoints];
  await using held = await take(lockFor({ endpoints, certificates: undefined }));
  await expect(held.confirm(never)).resolves.toBeUndefined();
});

test('a lock that is given back while nobody can be reached is given back in time, and ends by itself', async () => {
  await using cluster = await startCluster();
  await using proxy = await startProxy(cluster);
  const held = await take(lockThrough(cluster, `http://${proxy.address}`));
  proxy.set({ kind: 'blackhole' });
  const beganMs = performance.now();
  await held[Symbol.asyncDispose]();
  expect(performance.now() - beganMs).toBeLessThan(5_500);
  const { held: next } = await takeWhenFree(lockFor(cluster));
  await next[Symbol.asyncDispose]();
  expect(await leftBehind(cluster)).toEqual(nothing);
});

test('a lock that cannot be confirmed rejects as lost, and is not lost if it can be a moment later', async () => {
  await using cluster = await startCluster();
  await using proxy = await startProxy(cluster);
  await using held = await take(lockThrough(cluster, `http://${proxy.address}`, 60_000));
  proxy.set({ kind: 'blackhole' });
  await expect(held.confirm(never)).rejects.toEqual(wardenError('lock-lost', 'cannot be told'));
  proxy.set({ kind: 'none' });
  await held.confirm(never);
  expect(held.lost.aborted).toBe(false);
});

test('whoever is interrupted while a member hangs is not kept waiting', async () => {
  await using cluster = await startCluster();
  await using proxy = await startProxy(cluster);
  const lock = lockThrough(cluster, `http://${proxy.address}`);
  await using held = await take(lock);
  proxy.set({ kind: 'blackhole' });
  for (const ask of [(signal: AbortSignal) => lock.acquire('another', signal), held.confirm.bind(held)]) {
    const beganMs = performance.now();
    await expect(ask(AbortSignal.timeout(100))).rejects.toEqual(wardenError('interrupted'));
    expect(performance.now() - beganMs).toBeLessThan(1_000);
  }
  proxy.set({ kind: 'none' });
});
