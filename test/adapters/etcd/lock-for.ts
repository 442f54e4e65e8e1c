import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { createClusterLock, type ClusterLockOptions } from '../../../src/adapters/etcd/lock.ts';
import { systemClock } from '../../../src/adapters/system/clock.ts';
import type { ClusterLock, HeldLock } from '../../../src/ports/lock.ts';
import type { Cluster } from '../../support/etcd.ts';
import { never } from './connect.ts';

export const lockKey = '/etcd-warden/lock';

/** etcd grants no less: half as much again as its election timeout of a second, in whole seconds. */
export const shortestTtlMs = 2_000;

/** A lock in a cluster of the tests. */
export function lockFor(
  cluster: Pick<Cluster, 'endpoints' | 'certificates'>,
  more: Partial<ClusterLockOptions> = {},
): ClusterLock {
  return createClusterLock({ ...optionsFor(cluster), key: lockKey, ttlMs: shortestTtlMs, ...more }, systemClock);
}

export function optionsFor({ endpoints, certificates }: Pick<Cluster, 'endpoints' | 'certificates'>) {
  const tls = certificates && { caFile: certificates.caFile, ...certificates.client };
  return { endpoints, discovery: 'members' as const, endpointMap: new Map<string, string>(), tls };
}

export async function take(lock: ClusterLock, holder = 'the test'): Promise<HeldLock> {
  const outcome = await lock.acquire(holder, never);
  if (outcome.kind !== 'held') throw new Error(`the lock is not held but ${JSON.stringify(outcome)}`);
  return outcome.lock;
}

/** Asks until the lock is free; resolves with it and how long that took. */
export async function takeWhenFree(lock: ClusterLock): Promise<{ held: HeldLock; waitedMs: number }> {
  const beganMs = performance.now();
  for (;;) {
    const outcome = await lock.acquire('the next', never);
    if (outcome.kind === 'held') return { held: outcome.lock, waitedMs: performance.now() - beganMs };
    await delay(50);
  }
}

/** Resolves with why the lock was lost and how long that took. */
export async function lossOf({ lost }: HeldLock): Promise<{ reason: unknown; waitedMs: number }> {
  const beganMs = performance.now();
  if (!lost.aborted) await once(lost, 'abort', { signal: AbortSignal.timeout(60_000) });
  return { reason: lost.reason, waitedMs: performance.now() - beganMs };
}

/** What of ours is in the cluster: leases and keys. */
export async function leftBehind(cluster: Cluster): Promise<{ leases: number; keys: string }> {
  const leases = /found (\d+) leases/.exec(await cluster.etcdctl(['lease', 'list']))?.[1];
  return { leases: Number(leases), keys: (await cluster.etcdctl(['get', '', '--prefix', '--keys-only'])).trim() };
}

export const nothing = { leases: 0, keys: '' };
