import { vi } from 'vitest';

/**
 * Fakes the clock and every timer of a run, `AbortSignal.timeout` included, which vitest leaves alone. Wants
 * `vi.mock('node:timers/promises', () => import('…/fake-delay.ts'))` beside it.
 */
export function stopTheClock(now: Date): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now });
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((delayMs) => {
    const late = new AbortController();
    setTimeout(() => late.abort(new DOMException('The operation timed out', 'TimeoutError')), delayMs);
    return late.signal;
  });
}

export function startTheClock(): void {
  vi.restoreAllMocks();
  vi.useRealTimers();
}

/** Lets time pass until the work is done, for a day at most. */
export async function toItsEnd<T>(work: Promise<T>): Promise<T> {
  let isDone = false;
  const note = (): void => void (isDone = true);
  work.then(note, note);
  for (let step = 0; !isDone && step < 86_400; step += 1) await vi.advanceTimersByTimeAsync(step < 100 ? 100 : 1000);
  if (!isDone) throw new Error('the work did not end within a day');
  return work;
}

/** By the faked clock. */
export const fakedClock = { now: () => new Date(), monotonicMs: () => Date.now() };
