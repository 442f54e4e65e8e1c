import { isWardenError, WardenError } from '../../errors/warden-error.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ClusterLock, LockOutcome } from '../../ports/lock.ts';
import { interruptedBy } from './errors.ts';
import type { EtcdOptions } from './etcd.ts';
import { putIfAbsent, readKey } from './kv.ts';
import { openKvClient } from './kv-client.ts';
import { limitTime } from './kv-limit.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { grantLease, makeLeaseId } from './lease.ts';
import { giveLeaseBack, LeasedLock } from './lock-held.ts';
import { decodeLockValue, encodeLockValue } from './lock-value.ts';
import { TokenSource } from './token.ts';

/** Two dead endpoints cost their dial limits and an election its seconds; then there is no lock. */
const acquireTimeoutMs = 10_000;

/** For the lease of an attempt that came to nothing. */
const giveUpTimeoutMs = 3_000;

/** A member that takes longer for a key may be passed over: the next one will say what came of it. */
const maxAttemptTimeoutMs = 4_000;
const minAttemptTimeoutMs = 500;

export interface ClusterLockOptions extends EtcdOptions {
  /** Outside /registry. */
  readonly key: string;
  /** How long the lock outlives a holder that died; whole seconds, rounded up. */
  readonly ttlMs: number;
}

/** A lock in etcd. Each lock that is held has connections of its own; while none is held there are none. */
export function createClusterLock(options: ClusterLockOptions, clock: Pick<Clock, 'now'>): ClusterLock {
  const connection = { tls: options.tls, tokens: new TokenSource(options.auth) };
  return { acquire: (holder, signal) => acquire(encodeLockValue(holder, clock.now()), options, connection, signal) };
}

async function acquire(
  value: string,
  options: ClusterLockOptions,
  connection: Parameters<typeof openKvClient>[1],
  signal: AbortSignal,
): Promise<LockOutcome> {
  if (signal.aborted) throw interruptedBy(signal);
  using limit = limitTime(signal, acquireTimeoutMs, () => {
    return new WardenError('etcd-deadline', `no member answered within ${acquireTimeoutMs / 1000} s`);
  });
  try {
    await using made = new AsyncDisposableStack();
    const client = made.use(
      await openKvClient({ ...options, attemptTimeoutMs: attemptTimeoutMs(options) }, connection, limit.signal),
    );
    const leaseId = makeLeaseId();
    made.defer(() => giveLeaseBack(client, leaseId, giveUpTimeoutMs));
    const term = await grantLease(client, leaseId, options.ttlMs, limit.signal).catch(async (error: unknown) => {
      // Out of space or corrupt, etcd grants no lease; a lock that somebody holds is still there to be read.
      const holder = await readKey(client, options.key, limit.signal).catch(() => undefined);
      if (holder === undefined) throw error;
      return decodeLockValue(holder.value);
    });
    if ('holder' in term) return { kind: 'busy', ...term };
    const outcome = await putIfAbsent(client, { key: options.key, value, leaseId }, limit.signal);
    if (outcome.kind === 'exists') return { kind: 'busy', ...decodeLockValue(outcome.found.value) };
    made.move();
    const { createRevision } = outcome;
    const keeper = new LeaseKeeper(client, leaseId, term);
    return { kind: 'held', lock: new LeasedLock(client, keeper, { key: options.key, leaseId, createRevision }) };
  } catch (error) {
    if (signal.aborted) throw interruptedBy(signal);
    if (!isWardenError(error) || error.code === 'internal') throw error;
    return { kind: 'unavailable', reason: error.message };
  }
}

/** So that several members can be asked before the lease is over. */
function attemptTimeoutMs({ ttlMs }: ClusterLockOptions): number {
  return Math.min(maxAttemptTimeoutMs, Math.max(minAttemptTimeoutMs, ttlMs / 6));
}
