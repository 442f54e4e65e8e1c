import { isWardenError, WardenError } from '../../errors/warden-error.ts';

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
