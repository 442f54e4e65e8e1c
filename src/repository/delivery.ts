import { toWardenError, type WardenError } from '../errors/warden-error.ts';
import type { Repository } from '../ports/repository.ts';
import { commitManifest } from './commit.ts';
import { FanOut, nothingStored, type FanOutLimits, type Lane } from './fan-out.ts';
import { objectKey, snapshotName, type BackupPlace } from './layout.ts';

export interface DeliveryOptions {
  readonly place: BackupPlace;
  /** `.zst.enc` and the like. */
  readonly suffix: string;
  /** More sealed bytes than will come. */
  readonly maxBytes: number;
  readonly limits: FanOutLimits;
  readonly now: () => number;
}

/** One backup on its way into every repository: write all blocks, `complete`, then `commit` the manifest. */
export class Delivery implements AsyncDisposable {
  /** Repositories that were left out, each with its reason. */
  readonly failures: Map<string, WardenError>;
  readonly #repositories: readonly Repository[];
  readonly #place: BackupPlace;
  readonly #fanOut: FanOut;

  private constructor(repositories: readonly Repository[], place: BackupPlace, fanOut: FanOut) {
    this.#repositories = repositories;
    this.#place = place;
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
      repositories.map(async ({ name, store }) => {
        try {
          lanes.push({ repository: name, upload: await store.startUpload(key, { maxBytes: options.maxBytes }, signal) });
        } catch (error) {
          failures.set(name, toWardenError(error));
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
    return new Delivery(repositories, options.place, fanOut);
  }

  write(block: Uint8Array): Promise<void> {
    return this.#fanOut.write(block);
  }

  /**
   * Makes the snapshot visible and then its manifest, in each repository on its own; resolves with the names of those
   * that hold the backup now. Call it only once everything about the snapshot is proved.
   */
  async commit(manifest: Uint8Array, signal: AbortSignal): Promise<string[]> {
    const completed = new Set(await this.#fanOut.complete());
    const committed: string[] = [];
    await Promise.all(
      this.#repositories.map(async ({ name, store }) => {
        if (!completed.has(name)) return;
        try {
          await commitManifest(store, this.#place, manifest, signal);
          committed.push(name);
        } catch (error) {
          // The snapshot object stays: the manifest may have arrived although its answer did not, and must not stand alone.
          this.failures.set(name, toWardenError(error));
        }
      }),
    );
    if (committed.length === 0) throw nothingStored(this.failures);
    return committed.sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fanOut[Symbol.asyncDispose]();
  }
}
