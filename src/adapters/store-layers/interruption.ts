import { isWardenError, WardenError } from '../../errors/warden-error.ts';
import { endsWithin, releaseLimitMs } from '../system/ends-within.ts';

/** What a call rejects with once its signal was aborted: the reason given where it is one of ours. */
export function interruptionOf(signal: AbortSignal): WardenError {
  const reason: unknown = signal.reason;
  if (isWardenError(reason)) return reason;
  return new WardenError('interrupted', 'The run was told to stop.', { cause: reason });
}

/** Rejects before anything is sent or written where the signal is aborted already. */
export function throwIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw interruptionOf(signal);
}

/**
 * Stops waiting for `work` once the signal is aborted: a call to a hung mount can be neither cancelled nor waited out. The
 * work goes on, and what it comes to after all is given to `release`; of failures nobody hears any more. Where there is
 * something to release, that is waited for a few seconds: the process may end as soon as this rejects.
 */
export async function orInterrupted<T>(
  signal: AbortSignal,
  work: () => Promise<T>,
  release?: (late: T) => Promise<void>,
): Promise<T> {
  throwIfInterrupted(signal);
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  const interrupt = (): void => reject(interruptionOf(signal));
  signal.addEventListener('abort', interrupt);
  const working = work();
  try {
    return await Promise.race([working, interrupted]);
  } catch (error) {
    const released = working.then(release).catch(() => undefined);
    if (release !== undefined) await endsWithin(releaseLimitMs, released);
    throw error;
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}
