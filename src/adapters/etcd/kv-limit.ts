import type { WardenError } from '../../errors/warden-error.ts';

export interface TimeLimit extends Disposable {
  readonly signal: AbortSignal;
}

/** A signal that follows `signal` and aborts with `late()` after `timeoutMs`. Disposing stops the clock. */
export function limitTime(signal: AbortSignal, timeoutMs: number, late: () => WardenError): TimeLimit {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(late()), timeoutMs);
  return {
    signal: AbortSignal.any([signal, limit.signal]),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
