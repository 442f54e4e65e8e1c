import { byteSpan } from './byte-span.ts';
import { DamageList } from './damage.ts';
import { Database } from './database.ts';
import { describeContents, type DescribedContents } from './contents.ts';
import type { Inspection } from './inspection.ts';
import { findLiveMeta } from './meta.ts';
import { hasTrailer, reportTrailer, trailerBytes, TrailerCheck } from './trailer.ts';

export type { Inspection } from './inspection.ts';

/** Pages of up to 64 KiB divide it, every place of a meta page is in the first one, and so is any trailer in the last. */
const windowBytes = 1 << 20;

export interface Inspector {
  /**
   * Takes the next bytes of the snapshot, in pieces of any size; 1 MiB pieces are read where they are, others are copied
   * together first. Keeps no reference to `block`. Never throws, whatever the bytes are.
   */
  write(block: Uint8Array): void;
  /** The verdict and the facts; called once, after the last byte. Never throws, whatever the bytes were. */
  finish(): Inspection;
  /**
   * After `finish`: what a member that holds the same data, but was compacted further than this snapshot, answers to
   * HashKV at the snapshot's revision. undefined where that cannot be told.
   */
  hashKvAt(compactRevision: bigint): number | undefined;
}

export interface InspectorOptions {
  /** Memory for records of entries; past it kvHash and liveKeys stay undefined. */
  readonly entryBudgetBytes?: number;
}

/** Inspects a snapshot while it streams past: one pass, bounded memory, no disk. */
export function createInspector(options: InspectorOptions = {}): Inspector {
  return new StreamInspector(options);
}

class StreamInspector implements Inspector {
  readonly #options: InspectorOptions;
  readonly #trailer = new TrailerCheck();
  readonly #damages = new DamageList();
  readonly #gathered = new Uint8Array(windowBytes);
  #gatheredBytes = 0;
  /** Bytes of all windows before the gathered bytes. */
  #windowsBytes = 0;
  #database: Database | undefined;
  #contents: DescribedContents | undefined;

  constructor(options: InspectorOptions) {
    this.#options = options;
  }

  write(block: Uint8Array): void {
    // Never a Buffer from here on: slice() of one is no copy, and the caller uses its memory again.
    const bytes = new Uint8Array(block.buffer, block.byteOffset, block.length);
    let from = 0;
    while (from < bytes.length) {
      if (this.#gatheredBytes === 0 && bytes.length - from >= windowBytes) {
        this.#consumeWindow(bytes.subarray(from, from + windowBytes));
        from += windowBytes;
        continue;
      }
      const taken = Math.min(windowBytes - this.#gatheredBytes, bytes.length - from);
      this.#gathered.set(bytes.subarray(from, from + taken), this.#gatheredBytes);
      this.#gatheredBytes += taken;
      from += taken;
      if (this.#gatheredBytes < windowBytes) continue;
      this.#gatheredBytes = 0;
      this.#consumeWindow(this.#gathered);
    }
  }

  finish(): Inspection {
    const last = this.#gathered.subarray(0, this.#gatheredBytes);
    const sizeBytes = this.#windowsBytes + last.length;
    this.#trailer.update(last);
    const trailer = this.#trailer.finish();
    const pages = hasTrailer(sizeBytes) ? last.subarray(0, -trailerBytes) : last;
    this.#consumePages(pages);
    const databaseBytes = this.#windowsBytes + pages.length;
    this.#contents = describeContents(this.#database?.finish(databaseBytes, this.#damages));
    reportTrailer(trailer, sizeBytes, this.#damages);
    return {
      verdict: this.#damages.total === 0 ? 'sound' : 'damaged',
      damage: this.#damages.listed,
      damageCount: this.#damages.total,
      sizeBytes,
      databaseBytes,
      pageSizeBytes: this.#database?.pageSizeBytes,
      trailer: trailer.state,
      sha256: trailer.sha256,
      trailerSha256: trailer.trailerSha256,
      ...this.#contents.facts,
    };
  }

  hashKvAt(compactRevision: bigint): number | undefined {
    return this.#contents?.hashKvAt(compactRevision);
  }

  #consumeWindow(window: Uint8Array): void {
    this.#trailer.update(window);
    this.#consumePages(window);
    this.#windowsBytes += window.length;
  }

  #consumePages(bytes: Uint8Array): void {
    const window = byteSpan(bytes);
    if (this.#windowsBytes === 0) {
      const meta = findLiveMeta(window, this.#damages);
      if (meta !== undefined) this.#database = new Database(meta, windowBytes, this.#options.entryBudgetBytes);
    }
    this.#database?.consume(window, this.#windowsBytes);
  }
}
