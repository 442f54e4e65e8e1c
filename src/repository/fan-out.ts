import { toWardenError, WardenError } from '../errors/warden-error.ts';
import type { Upload } from '../ports/object-store.ts';
import type { Repository } from '../ports/repository.ts';
import { withinLimit } from './within-limit.ts';

/** One repository's upload in a run. */
export interface Lane {
  readonly repository: Repository;
  readonly upload: Upload;
}

export interface FanOutLimits {
  /** A repository that takes nothing for so long while another one waits is left out. */
  readonly stallMs: number;
  /** From then on a repository for which the others waited more than half of the time is left out. */
  readonly patienceMs: number;
}

/** Some stores copy the parts of an upload together before they answer; a disk has everything to flush. */
const finishLimitMs = 15 * 60_000;

/** An abort that has not ended by then never will: what it leaves is garbage without a manifest. */
const abortLimitMs = 20_000;

/**
 * Sends the same blocks to every repository at once. The slowest sets the pace, within limits: a repository that
 * fails or lags is dropped, its upload aborted, and the others go on. Once none is left, calls reject with
 * `no-backup-stored`.
 */
export class FanOut implements AsyncDisposable {
  /** Repositories that were dropped, by name, each with its reason. */
  readonly failures = new Map<string, WardenError>();
  readonly #lanes: Set<Lane>;
  readonly #limits: FanOutLimits;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #waitedFor = new Map<Lane, number>();
  readonly #aborting: Promise<unknown>[] = [];

  constructor(lanes: readonly Lane[], limits: FanOutLimits, now: () => number) {
    this.#lanes = new Set(lanes);
    this.#limits = limits;
    this.#now = now;
    this.#startedAt = now();
  }

  /** Resolves once every repository that is still in took the block over. */
  async write(block: Uint8Array): Promise<void> {
    const behind = new Set(this.#lanes);
    const { promise: stalled, resolve: giveUp } = Promise.withResolvers<void>();
    let firstTakenAt: number | undefined;
    let timer: NodeJS.Timeout | undefined;
    const taking = [...this.#lanes].map(async (lane) => {
      try {
        await lane.upload.write(block);
        const now = this.#now();
        firstTakenAt ??= now;
        // Only a repository that keeps another one waiting can lag: without one that is faster there is no hurry.
        timer ??= setTimeout(giveUp, this.#limits.stallMs);
        this.#waitedFor.set(lane, (this.#waitedFor.get(lane) ?? 0) + now - firstTakenAt);
      } catch (error) {
        this.#drop(lane, toWardenError(error));
      }
      behind.delete(lane);
    });
    await Promise.race([Promise.all(taking), stalled]);
    clearTimeout(timer);
    for (const lane of behind) {
      this.#drop(lane, tooSlow(lane, `took nothing for ${this.#limits.stallMs} ms while others waited`));
    }
    this.#dropChronicLaggards();
    this.#requireOne();
  }

  /**
   * Completes every upload that is left and then publishes it, each on its own: none waits for another one. Resolves
   * with the names of the repositories where both went well.
   */
  async finish(publish: (repository: Repository) => Promise<void>, signal: AbortSignal): Promise<string[]> {
    const finished: string[] = [];
    await Promise.all(
      [...this.#lanes].map(async (lane) => {
        const publishing = lane.upload.complete().then(() => publish(lane.repository));
        try {
          await withinLimit(
            publishing,
            finishLimitMs,
            () => tooSlow(lane, 'did not complete the upload in time'),
            signal,
          );
          finished.push(lane.repository.name);
        } catch (error) {
          this.#drop(lane, toWardenError(error));
          // What it was at is interrupted as well, and clears away after itself.
          this.#aborting.push(settle(lane, publishing));
        }
      }),
    );
    if (finished.length === 0) signal.throwIfAborted();
    this.#requireOne();
    return finished;
  }

  /** Aborts what was not completed and waits, not for ever, for the aborts of dropped repositories. Never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Taken out first: a write that the abort ends must not abort once more.
    for (const lane of this.#lanes) this.#aborting.push(abort(lane));
    this.#lanes.clear();
    await Promise.all(this.#aborting);
  }

  #dropChronicLaggards(): void {
    const elapsedMs = this.#now() - this.#startedAt;
    if (elapsedMs < this.#limits.patienceMs) return;
    for (const lane of this.#lanes) {
      const waitedMs = this.#waitedFor.get(lane) ?? 0;
      if (this.#lanes.size > 1 && waitedMs > elapsedMs / 2) {
        this.#drop(
          lane,
          tooSlow(lane, `made the others wait for ${Math.round(waitedMs)} of ${Math.round(elapsedMs)} ms`),
        );
      }
    }
  }

  #drop(lane: Lane, reason: WardenError): void {
    if (!this.#lanes.delete(lane)) return;
    this.failures.set(lane.repository.name, reason);
    this.#aborting.push(abort(lane));
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

/** What ended an upload matters more than what its abort then met. */
async function abort(lane: Lane): Promise<void> {
  await settle(lane, Promise.resolve(lane.upload[Symbol.asyncDispose]()));
}

async function settle(lane: Lane, ended: Promise<void>): Promise<void> {
  await Promise.allSettled([withinLimit(ended, abortLimitMs, () => tooSlow(lane, 'did not abort its upload in time'))]);
}

function tooSlow(lane: Lane, reason: string): WardenError {
  return new WardenError('repository-too-slow', `repository ${lane.repository.name} ${reason}`, {
    details: { repository: lane.repository.name },
  });
}
