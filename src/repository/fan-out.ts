import { toWardenError, WardenError } from '../errors/warden-error.ts';
import type { Upload } from '../ports/object-store.ts';

/** One repository's upload in a run, and what became of it. */
export interface Lane {
  readonly repository: string;
  readonly upload: Upload;
}

export interface FanOutLimits {
  /** A repository that takes nothing for so long while another one waits is left out. */
  readonly stallMs: number;
  /** From then on a repository for which the others waited more than half of the time is left out. */
  readonly patienceMs: number;
}

/**
 * Sends the same blocks to every repository at once. The slowest sets the pace, within limits: a repository that
 * fails or lags is dropped, its upload aborted, and the others go on. Once none is left, `write` rejects.
 */
export class FanOut implements AsyncDisposable {
  readonly failures = new Map<string, WardenError>();
  readonly #lanes: Set<Lane>;
  readonly #limits: FanOutLimits;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #waitedFor = new Map<Lane, number>();
  readonly #aborting: PromiseLike<void>[] = [];

  constructor(lanes: readonly Lane[], limits: FanOutLimits, now: () => number) {
    this.#lanes = new Set(lanes);
    this.#limits = limits;
    this.#now = now;
    this.#startedAt = now();
  }

  /** Resolves once every repository that is still in took the block over. */
  async write(block: Uint8Array): Promise<void> {
    const pending = new Map<Lane, Promise<void>>();
    let firstDoneAt: number | undefined;
    for (const lane of this.#lanes) {
      const taken = lane.upload.write(block).then(
        () => {
          const now = this.#now();
          firstDoneAt ??= now;
          this.#waitedFor.set(lane, (this.#waitedFor.get(lane) ?? 0) + now - firstDoneAt);
        },
        (error: unknown) => this.#drop(lane, toWardenError(error)),
      );
      pending.set(lane, taken.finally(() => pending.delete(lane)));
    }
    const all = Promise.all(pending.values());
    if (pending.size > 1) {
      await Promise.race(pending.values());
      if (pending.size > 0) await this.#waitForLaggards(all, pending);
    } else {
      await all;
    }
    this.#dropChronicLaggards();
    this.#requireOne();
  }

  /** Completes every upload that is left; resolves with the repositories in which the object now stands. */
  async complete(): Promise<string[]> {
    const completed: string[] = [];
    await Promise.all(
      [...this.#lanes].map(async (lane) => {
        try {
          await lane.upload.complete();
          completed.push(lane.repository);
        } catch (error) {
          this.#drop(lane, toWardenError(error));
        }
      }),
    );
    this.#requireOne();
    return completed;
  }

  /** Aborts what was not completed and waits for the aborts of dropped repositories. */
  async [Symbol.asyncDispose](): Promise<void> {
    const rest = [...this.#lanes].map((lane) => lane.upload[Symbol.asyncDispose]());
    await Promise.allSettled([...rest, ...this.#aborting]);
  }

  async #waitForLaggards(all: Promise<unknown>, pending: ReadonlyMap<Lane, Promise<void>>): Promise<void> {
    const { promise: expired, resolve } = Promise.withResolvers<'expired'>();
    const timer = setTimeout(() => resolve('expired'), this.#limits.stallMs);
    try {
      if ((await Promise.race([all, expired])) !== 'expired') return;
      // Nobody keeps up when all that were fast have failed meanwhile: then there is nothing to wait for less.
      if (pending.size === this.#lanes.size) return void (await all);
      for (const lane of pending.keys()) {
        this.#drop(lane, tooSlow(lane, `took nothing for ${this.#limits.stallMs} ms while others waited`));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #dropChronicLaggards(): void {
    const elapsedMs = this.#now() - this.#startedAt;
    if (elapsedMs < this.#limits.patienceMs) return;
    for (const lane of this.#lanes) {
      const waitedMs = this.#waitedFor.get(lane) ?? 0;
      if (this.#lanes.size > 1 && waitedMs > elapsedMs / 2) {
        this.#drop(lane, tooSlow(lane, `made the others wait for ${Math.round(waitedMs)} of ${Math.round(elapsedMs)} ms`));
      }
    }
  }

  #drop(lane: Lane, reason: WardenError): void {
    if (!this.#lanes.delete(lane)) return;
    this.failures.set(lane.repository, reason);
    this.#aborting.push(lane.upload[Symbol.asyncDispose]());
  }

  #requireOne(): void {
    if (this.#lanes.size === 0) throw nothingStored(this.failures);
  }
}

/** The error of a run in which every repository failed: each with its reason. */
export function nothingStored(failures: ReadonlyMap<string, WardenError>): WardenError {
  const reasons = [...failures].map(([repository, error]) => `${repository}: ${error.message}`);
  const [only] = failures.size === 1 ? failures.values() : [];
  return new WardenError('no-backup-stored', `no repository took the backup; ${reasons.join('; ')}`, {
    details: { repositories: [...failures.keys()], codes: [...failures.values()].map((error) => error.code) },
    ...(only === undefined ? {} : { hint: only.hint, cause: only }),
  });
}

function tooSlow(lane: Lane, reason: string): WardenError {
  return new WardenError('repository-too-slow', `repository ${lane.repository} ${reason}`, {
    details: { repository: lane.repository },
  });
}
