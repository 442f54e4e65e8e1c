import { setTimeout as sleep } from 'node:timers/promises';

/** Does the work now and then again and again, `intervalMs` after it ended, or as soon as somebody asks. */
export class Every implements AsyncDisposable {
  readonly #work: (signal: AbortSignal) => Promise<void>;
  readonly #intervalMs: () => number;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #wake = new AbortController();

  constructor(intervalMs: () => number, work: (signal: AbortSignal) => Promise<void>) {
    this.#work = work;
    this.#intervalMs = intervalMs;
    this.#ended = this.#run();
    // Whoever races against `ended` is told; a rejection before that must not pass for unhandled.
    this.#ended.catch(() => undefined);
  }

  /** Rejects if the work does. */
  get ended(): Promise<void> {
    return this.#ended;
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
    while (!signal.aborted) {
      this.#wake = new AbortController();
      await this.#work(signal);
      const either = AbortSignal.any([signal, this.#wake.signal]);
      await sleep(this.#intervalMs(), undefined, { signal: either }).catch(() => undefined);
    }
  }
}
