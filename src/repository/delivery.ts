import { toWardenError, WardenError } from '../errors/warden-error.ts';
import type { Upload } from '../ports/object-store.ts';
import type { Repository } from '../ports/repository.ts';
import { commitManifest } from './commit.ts';
import { FanOut, nothingStored, type FanOutLimits, type Lane } from './fan-out.ts';
import { objectKey, snapshotName, type BackupPlace } from './layout.ts';
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
  readonly #place: BackupPlace;
  /** Repositories are named in the order of the configuration. */
  readonly #order: readonly string[];
  readonly #fanOut: FanOut;

  private constructor(place: BackupPlace, order: readonly string[], fanOut: FanOut) {
    this.#place = place;
    this.#order = order;
    this.#fanOut = fanOut;
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
    return new Delivery(
      options.place,
      repositories.map(({ name }) => name),
      fanOut,
    );
  }

  /** Resolves once every repository that is still in took the block over; `no-backup-stored` if none is. */
  write(block: Uint8Array): Promise<void> {
    return this.#fanOut.write(block);
  }

  /**
   * Makes the snapshot visible and then its manifest, in each repository on its own; resolves with the names of those
   * that hold the backup now, or rejects with `no-backup-stored`. Call it only once everything about the snapshot is
   * proved. Where the manifest fails, the snapshot stays: the manifest may have arrived although its answer did not, and
   * must not stand alone.
   */
  async commit(manifest: Uint8Array, signal: AbortSignal): Promise<string[]> {
    const committed = await this.#fanOut.finish(
      ({ store }) => commitManifest(store, this.#place, manifest, signal),
      signal,
    );
    return this.#order.filter((name) => committed.includes(name));
  }

  /** Aborts what was not committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fanOut[Symbol.asyncDispose]();
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
