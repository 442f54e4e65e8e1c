import type { ScheduledJobName } from './scheduled-jobs.ts';

/** A run that somebody asked for. */
export interface Order {
  readonly job: ScheduledJobName;
  /** The time that the run is for. */
  readonly occurrence: Date;
  /** The clock went back and shows that time again. */
  readonly isShownAgain: boolean;
  /** 0 for the first attempt. */
  readonly attempt: number;
}

/**
 * Carries orders out one at a time. A lane is idle, or it runs one job while at most one order of each other job waits; the
 * jobs named first go first. An order for a job that runs is refused, one for a job that waits takes the place of the older
 * one, so nothing ever piles up. Work that rejects ends the lane: `failed` rejects with its reason.
 */
export class Lane implements AsyncDisposable {
  readonly #precedence: readonly ScheduledJobName[];
  readonly #work: (order: Order, signal: AbortSignal) => Promise<void>;
  readonly #waiting = new Map<ScheduledJobName, Order>();
  readonly #stop = new AbortController();
  readonly #failed = Promise.withResolvers<never>();
  #running: { readonly order: Order; readonly over: Promise<void> } | undefined;

  constructor(precedence: readonly ScheduledJobName[], work: (order: Order, signal: AbortSignal) => Promise<void>) {
    this.#precedence = precedence;
    this.#work = work;
    // Told to whoever races against it; until somebody does, it must not pass for unhandled.
    this.#failed.promise.catch(() => undefined);
  }

  /** Settles only if the lane fails. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  get running(): Order | undefined {
    return this.#running?.order;
  }

  /** The order of this job that waits for its turn. */
  waiting(job: ScheduledJobName): Order | undefined {
    return this.#waiting.get(job);
  }

  /** False where the job runs already, or the lane is being ended. */
  request(order: Order): boolean {
    if (this.#stop.signal.aborted || this.#running?.order.job === order.job) return false;
    this.#waiting.set(order.job, order);
    this.#startNext();
    return true;
  }

  /** Ends what runs, with `reason`, and forgets what waits; resolves once it has ended. */
  async end(reason: unknown): Promise<void> {
    this.#waiting.clear();
    this.#stop.abort(reason);
    await this.#running?.over;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end(new Error('the lane is closed'));
  }

  #startNext(): void {
    if (this.#running !== undefined) return;
    const job = this.#precedence.find((name) => this.#waiting.has(name));
    const order = job === undefined ? undefined : this.#waiting.get(job);
    if (order === undefined) return;
    this.#waiting.delete(order.job);
    const over = this.#carryOut(order);
    this.#running = { order, over };
  }

  async #carryOut(order: Order): Promise<void> {
    try {
      // In a later turn, so that `running` says what runs before anything of it happens.
      await Promise.resolve();
      await this.#work(order, this.#stop.signal);
    } catch (error) {
      this.#waiting.clear();
      this.#stop.abort(error);
      this.#failed.reject(error);
    }
    this.#running = undefined;
    this.#startNext();
  }
}
