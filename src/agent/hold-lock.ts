import { setTimeout as sleep } from 'node:timers/promises';
import { isWardenError, WardenError } from '../errors/warden-error.ts';
import type { Clock } from '../ports/clock.ts';
import type { ClusterLock } from '../ports/lock.ts';
import type { Log } from '../ports/log.ts';
import type { Progress } from '../ports/progress.ts';

export interface LockParts {
  /** undefined where coordination is turned off. */
  readonly lock: ClusterLock | undefined;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
  readonly progress: Progress;
}

const pollMs = 1000;

/** A lock that is lost again and again will be lost once more. */
const mostLosses = 3;

/** Rejects with `lock-lost` where the lock is no longer ours, or where that cannot be told; resolves at once without one. */
export type ConfirmLock = (signal: AbortSignal) => Promise<void>;

/** @param lost aborted, with `lock-lost`, once the lock is lost or must be taken for lost; never without one */
type LockedWork<T> = (confirmLock: ConfirmLock, lost: AbortSignal) => Promise<T>;

/**
 * Does the work while nobody else works on the cluster. Waits up to `waitMs` for whoever holds the lock, then rejects with
 * `busy`. Where no lock can be had, because etcd has no quorum or no space, the work is done all the same: it is for such
 * times. Work that finds the lock lost, and says so by rejecting with `lock-lost`, begins anew under another one, or without.
 */
export async function withClusterLock<T>(
  { lock, clock, log, progress }: LockParts,
  { holder, waitMs }: { readonly holder: string; readonly waitMs: number },
  signal: AbortSignal,
  work: LockedWork<T>,
): Promise<T> {
  if (lock === undefined) return withoutLock(work);
  let startedMs = clock.monotonicMs();
  let losses = 0;
  for (;;) {
    const outcome = await lock.acquire(holder, signal);
    if (outcome.kind === 'held') {
      try {
        await using held = outcome.lock;
        return await work((asking) => held.confirm(asking), held.lost);
      } catch (error) {
        losses += 1;
        if (signal.aborted || losses > mostLosses || !isWardenError(error, 'lock-lost')) throw error;
        log.warn('the lock was lost, so the work begins anew', { reason: error.message });
        // Whoever holds it now is waited for as at the beginning.
        startedMs = clock.monotonicMs();
        continue;
      }
    }
    if (outcome.kind === 'unavailable') {
      log.warn('going on without the lock', { reason: outcome.reason });
      return withoutLock(work);
    }
    if (clock.monotonicMs() - startedMs >= waitMs) throw busy(outcome);
    progress({ kind: 'stage', text: `waiting for ${outcome.holder}` });
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
  }
}

function withoutLock<T>(work: LockedWork<T>): Promise<T> {
  return work(async () => undefined, new AbortController().signal);
}

function busy({ holder, since }: { readonly holder: string; readonly since: Date | undefined }): WardenError {
  const when = since === undefined ? '' : ` since ${since.toISOString()}`;
  return new WardenError('busy', `another run works on this cluster${when}: ${holder}`, { details: { holder } });
}
