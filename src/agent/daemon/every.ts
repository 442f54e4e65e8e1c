import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../ports/clock.ts';

export interface EveryTiming {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Between the end of the work and its next beginning; asked each time. */
  readonly intervalMs: () => number;
  /** How long the work takes at most. It has to see to that itself. */
  readonly limitMs: number;
}

/** Does the work now and then again and again, `intervalMs` after it ended, or as soon as somebody asks. */
export class Every implements AsyncDisposable {
  readonly #work: (signal: AbortSignal) => Promise<void>;
  readonly #timing: EveryTiming;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #wake = new AbortController();
  /** When its work or its rest must be over. */
  #turnsByMs = 0;

  constructor(timing: EveryTiming, work: (signal: AbortSignal) => Promise<void>) {
    this.#work = work;
    this.#timing = timing;
    this.#ended = this.#run();
    // Whoever races against `ended` is told; a rejection before that must not pass for unhandled.
    this.#ended.catch(() => undefined);
  }

  /** Rejects if the work does. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** By how much its work has outlived its limit, or its rest the interval; negative where all is well. */
  get msLate(): number {
    return this.#timing.clock.monotonicMs() - this.#turnsByMs;
  }

  /** Not while it is at work: then it begins again right after. */
  again(): void {
    this.#wake.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended.catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { clock, limitMs } = this.#timing;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      this.#turnsByMs = clock.monotonicMs() + limitMs;
      await this.#work(signal);
      const intervalMs = this.#timing.intervalMs();
      this.#turnsByMs = clock.monotonicMs() + intervalMs;
      const either = AbortSignal.any([signal, this.#wake.signal]);
      await sleep(intervalMs, undefined, { signal: either }).catch(() => undefined);
    }
  }
}
