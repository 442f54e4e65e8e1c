import { toWardenError, WardenError } from '../errors/warden-error.ts';
import type { Upload } from '../ports/object-store.ts';
import type { Repository } from '../ports/repository.ts';
import { commitManifest } from './commit.ts';
import { FanOut, nothingStored, type FanOutLimits, type Lane } from './fan-out.ts';
import { objectKey, snapshotName, type BackupPlace } from './layout.ts';
import { readManifestBack, type Unchecked } from './read-back.ts';
import { withinLimit } from './within-limit.ts';

/** A store that cannot even begin in this time does not hold up the others. */
const startLimitMs = 60_000;

export interface DeliveryOptions {
  readonly place: BackupPlace;
  /** `.zst.enc` and the like. */
  readonly suffix: string;
  /** More sealed bytes than will come. */
  readonly maxBytes: number;
  readonly limits: FanOutLimits;
  /** Milliseconds that only ever grow. */
  readonly now: () => number;
}

/** One backup on its way into every repository: write all blocks, then `commit`. */
export class Delivery implements AsyncDisposable {
  /** Repositories that were left out, each with its reason. */
  readonly failures: ReadonlyMap<string, WardenError>;
  /** What could not be checked in repositories that hold the backup, mostly for want of rights. */
  readonly unchecked: ReadonlyMap<string, readonly Unchecked[]>;
  readonly #place: BackupPlace;
  /** In the order of the configuration. */
  readonly #repositories: readonly Repository[];
  readonly #fanOut: FanOut;
  readonly #unchecked = new Map<string, readonly Unchecked[]>();

  private constructor(place: BackupPlace, repositories: readonly Repository[], fanOut: FanOut) {
    this.#place = place;
    this.#repositories = repositories;
    this.#fanOut = fanOut;
    this.unchecked = this.#unchecked;
    this.failures = fanOut.failures;
  }

  /** Begins an upload in every repository; rejects with `no-backup-stored` if none could begin. */
  static async start(
    repositories: readonly Repository[],
    options: DeliveryOptions,
    signal: AbortSignal,
  ): Promise<Delivery> {
    const key = objectKey(options.place, snapshotName(options.suffix));
    const lanes: Lane[] = [];
    const failures = new Map<string, WardenError>();
    await Promise.all(
      repositories.map(async (repository) => {
        try {
          lanes.push({ repository, upload: await startLane(repository, key, options.maxBytes, signal) });
        } catch (error) {
          failures.set(repository.name, toWardenError(error));
        }
      }),
    );
    const fanOut = new FanOut(lanes, options.limits, options.now);
    for (const [name, error] of failures) fanOut.failures.set(name, error);
    if (lanes.length === 0 || signal.aborted) {
      await fanOut[Symbol.asyncDispose]();
      signal.throwIfAborted();
      throw nothingStored(failures);
    }
    return new Delivery(options.place, repositories, fanOut);
  }

  /** Resolves once every repository that is still in took the block over; `no-backup-stored` if none is. */
  write(block: Uint8Array): Promise<void> {
    return this.#fanOut.write(block);
  }

  /**
   * Makes the snapshot visible and then its manifest, in each repository on its own, and reads the manifest back where this
   * role may; resolves with the names of those that hold the backup now, or rejects with `no-backup-stored`. Call it only
   * once everything about the snapshot is proved. Where the manifest fails, the snapshot stays: the manifest may have
   * arrived although its answer did not, and must not stand alone.
   */
  async commit(manifest: Uint8Array, signal: AbortSignal): Promise<string[]> {
    const committed = await this.#fanOut.finish(async ({ name, store }) => {
      const refusal = await commitManifest(store, this.#place, manifest, signal);
      if (refusal !== undefined) this.#leaveUnchecked(name, ['own-manifest', 'read-back'], refusal);
    }, signal);
    const holding = this.#repositories.filter(({ name }) => committed.includes(name));
    await Promise.all(holding.map((repository) => this.#readBack(repository, manifest, signal)));
    const stored = holding.map(({ name }) => name).filter((name) => !this.failures.has(name));
    if (stored.length === 0) throw nothingStored(this.failures);
    return stored;
  }

  /** Aborts what was not committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fanOut[Symbol.asyncDispose]();
  }

  async #readBack({ name, store }: Repository, manifest: Uint8Array, signal: AbortSignal): Promise<void> {
    if (this.#unchecked.has(name)) return;
    try {
      const obstacle = await readManifestBack(store, this.#place, manifest, signal);
      if (obstacle !== undefined) this.#leaveUnchecked(name, ['read-back'], obstacle);
    } catch (error) {
      this.#fanOut.failures.set(name, toWardenError(error));
    }
  }

  #leaveUnchecked(repository: string, what: readonly Unchecked['what'][], { message }: WardenError): void {
    this.#unchecked.set(
      repository,
      what.map((fact) => ({ what: fact, because: message })),
    );
  }
}

async function startLane(
  { name, store }: Repository,
  key: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Upload> {
  let isAbandoned = false;
  const starting = store.startUpload(key, { maxBytes }, signal).then(async (upload) => {
    // It came after all, but nobody waits for it any more.
    if (isAbandoned) await upload[Symbol.asyncDispose]();
    return upload;
  });
  try {
    return await withinLimit(starting, startLimitMs, () => tooLate(name));
  } catch (error) {
    isAbandoned = true;
    throw error;
  }
}

function tooLate(repository: string): WardenError {
  const message = `repository ${repository} could not begin an upload within ${startLimitMs / 1000} s`;
  return new WardenError('repository-too-slow', message, { details: { repository } });
}
