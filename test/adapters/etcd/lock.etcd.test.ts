import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createClusterLock } from '../../../src/adapters/etcd/lock.ts';
import { type Cluster, startCluster } from '../../support/etcd.ts';
import { wardenError } from '../../support/errors.ts';
import { never } from './connect.ts';
import { startLockChild } from './lock-child.ts';
import {
  leftBehind,
  lockFor,
  lockKey,
  lossOf,
  nothing,
  optionsFor,
  shortestTtlMs,
  take,
  takeWhenFree,
} from './lock-for.ts';

/** etcd looks for leases that are over twice a second, and revokes them by raft. */
const expirySlackMs = 1_500;

describe.each(['3.5', '3.6', '3.7'] as const)('a lock in etcd %s', (version) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ version });
  });
  afterAll(() => cluster[Symbol.asyncDispose]());
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is held for several terms of its lease, and nothing is left of it once it was given back', async () => {
    const lock = lockFor(cluster);
    const held = await take(lock);
    // The time that passes is what is tested.
    await delay(2.5 * shortestTtlMs);
    await held.confirm(never);
    expect(held.lost.aborted).toBe(false);
    expect(await leftBehind(cluster)).toEqual({ leases: 1, keys: lockKey });
    await held[Symbol.asyncDispose]();
    expect(await leftBehind(cluster)).toEqual(nothing);
  });

  test('asking in vain leaves nothing behind', async () => {
    const lock = lockFor(cluster);
    await using _ = await take(lock);
    expect(await lock.acquire('another', never)).toMatchObject({ kind: 'busy' });
    expect(await leftBehind(cluster)).toEqual({ leases: 1, keys: lockKey });
  });

  test('is free within its term when the process that holds it is killed', async () => {
    await using child = startLockChild(cluster.endpoints);
    expect(await child.nextLine()).toBe('held');
    const lock = lockFor(cluster);
    expect(await lock.acquire('another', never)).toMatchObject({ kind: 'busy', holder: 'the child' });
    child.process.kill('SIGKILL');
    expect(await child.ended).toBe('SIGKILL');
    const { held, waitedMs } = await takeWhenFree(lock);
    await held[Symbol.asyncDispose]();
    expect(waitedMs).toBeLessThan(shortestTtlMs + expirySlackMs);
    expect(await leftBehind(cluster)).toEqual(nothing);
  });

  test('is lost within a third of its term when somebody revokes its lease', async () => {
    await using held = await take(lockFor(cluster));
    const leases = await cluster.etcdctl(['lease', 'list']);
    await cluster.etcdctl(['lease', 'revoke', leases.trim().split('\n').at(-1) ?? '']);
    const { reason, waitedMs } = await lossOf(held);
    expect(reason).toEqual(wardenError('lock-lost', 'revoked'));
    expect(waitedMs).toBeLessThan(shortestTtlMs / 2);
    await expect(held.confirm(never)).rejects.toBe(reason);
  });

  test('is lost when somebody writes another value to its key, which stays when it is given back', async () => {
    const lock = lockFor(cluster);
    const held = await take(lock);
    await cluster.etcdctl(['put', lockKey, 'mine']);
    await expect(held.confirm(never)).rejects.toEqual(wardenError('lock-lost', 'another holder', '4 bytes'));
    expect(held.lost.aborted).toBe(true);
    await held[Symbol.asyncDispose]();
    expect(await leftBehind(cluster)).toEqual({ leases: 0, keys: lockKey });
    expect(await lock.acquire('another', never)).toEqual({
      kind: 'busy',
      holder: 'a stranger: 4 bytes that etcd-warden did not write',
      since: undefined,
    });
    await cluster.etcdctl(['del', lockKey]);
  });

  test('is lost when its key is deleted and made again, even by a value that looks like ours', async () => {
    await using held = await take(lockFor(cluster));
    const ours = (await cluster.etcdctl(['get', lockKey, '--print-value-only'])).trim();
    await cluster.etcdctl(['del', lockKey]);
    await cluster.etcdctl(['put', lockKey, ours]);
    await expect(held.confirm(never)).rejects.toEqual(wardenError('lock-lost', 'the test'));
    await cluster.etcdctl(['del', lockKey]);
  });

  test('does not care how the date jumps', async () => {
    await using held = await take(lockFor(cluster));
    vi.useFakeTimers({ toFake: ['Date'] });
    for (const date of ['2038-01-19T03:14:07Z', '1970-01-01T00:00:00Z']) {
      vi.setSystemTime(new Date(date));
      await delay(0.75 * shortestTtlMs);
      await held.confirm(never);
    }
    expect(held.lost.aborted).toBe(false);
  });
});

describe('a lock in etcd', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  test('keeps no timer and no connection once it was given back', async () => {
    await using child = startLockChild(cluster.endpoints);
    expect(await child.nextLine()).toBe('held');
    child.process.stdin.end();
    expect(await child.nextLine()).toBe('given back');
    expect(await child.ended).toBe(0);
    expect(await leftBehind(cluster)).toEqual(nothing);
  });

  test('is lost for a process that was stopped for longer than its term, and not taken from the next', async () => {
    await using child = startLockChild(cluster.endpoints);
    expect(await child.nextLine()).toBe('held');
    child.process.kill('SIGSTOP');
    await using held = (await takeWhenFree(lockFor(cluster))).held;
    child.process.kill('SIGCONT');
    expect(await child.nextLine()).toMatch(/^lost: /);
    child.process.stdin.end();
    expect(await child.nextLine()).toBe('given back');
    await held.confirm(never);
  });

  test('whoever is interrupted while asking leaves nothing behind', async () => {
    const lock = lockFor(cluster);
    for (let delayMs = 0; delayMs < 12; delayMs += 1) {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), delayMs);
      const outcome = await lock.acquire('hasty', stop.signal).catch((error: unknown) => ({ kind: 'rejected', error }));
      if (outcome.kind === 'held' && 'lock' in outcome) await outcome.lock[Symbol.asyncDispose]();
      else expect(outcome).toEqual({ kind: 'rejected', error: wardenError('interrupted') });
    }
    expect(await leftBehind(cluster)).toEqual(nothing);
  });

  test('is not to be had from an etcd that is out of space, which says so at once', async () => {
    await using full = await startCluster({ args: ['--quota-backend-bytes=16000'] });
    const beganMs = performance.now();
    const outcome = await lockFor(full).acquire('the test', never);
    expect(performance.now() - beganMs).toBeLessThan(4_000);
    expect(outcome).toMatchObject({ kind: 'unavailable', reason: expect.stringMatching(/space exceeded/) as unknown });
  });

  test('is not to be had where an endpoint belongs to another cluster', async () => {
    await using other = await startCluster();
    const endpoints = [...cluster.endpoints, ...other.endpoints];
    expect(await lockFor({ endpoints, certificates: undefined }).acquire('the test', never)).toMatchObject({
      kind: 'unavailable',
      reason: expect.stringMatching(/two clusters/) as unknown,
    });
    expect(await leftBehind(cluster)).toEqual(nothing);
  });

  test('has a holder and a date that are what the caller said', async () => {
    const now = (): Date => new Date('2026-11-25T04:05:06.007Z');
    const lock = createClusterLock({ ...optionsFor(cluster), key: '/other/key', ttlMs: shortestTtlMs }, { now });
    await using _ = await take(lock, 'host-a');
    expect(await cluster.etcdctl(['get', '/other/key', '--print-value-only'])).toBe(
      '{"version":1,"holder":"host-a","since":"2026-11-25T04:05:06.007Z"}\n',
    );
  });
});

test('a lock without the right password is not to be had, and the password is not shown', async () => {
  await using cluster = await startCluster({ auth: { user: 'root', password: 'rootpw' } });
  const auth = { username: 'root', readPassword: () => Promise.resolve('hunter2') };
  const outcome = await lockFor(cluster, { auth }).acquire('the test', never);
  expect(outcome).toMatchObject({
    kind: 'unavailable',
    reason: expect.stringMatching(/authentication failed/) as unknown,
  });
  expect(JSON.stringify(outcome)).not.toContain('hunter2');
  expect(await lockFor(cluster).acquire('the test', never)).toMatchObject({
    kind: 'unavailable',
    reason: expect.stringMatching(/user name is empty/) as unknown,
  });
});

test('a lock outlives the token of its user', async () => {
  await using cluster = await startCluster({
    auth: { user: 'root', password: 'rootpw' },
    args: ['--auth-token-ttl=1'],
  });
  const auth = { username: 'root', readPassword: () => Promise.resolve('rootpw') };
  const held = await take(lockFor(cluster, { auth }));
  // Tokens live for a second and are swept every second; there is no event to wait for.
  await delay(2_500);
  await held.confirm(never);
  await held[Symbol.asyncDispose]();
  expect(await cluster.etcdctl(['lease', 'list'])).toMatch(/found 0 leases/);
});
