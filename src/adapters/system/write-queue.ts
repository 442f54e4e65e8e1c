import type { FileHandle } from 'node:fs/promises';

/** As much as may wait for the disk, so that the one who brings the blocks need not wait for each of them. */
const maxQueuedBytes = 16 * 1024 ** 2;

/**
 * After so many bytes the kernel is asked to write them to the disk, while more come: left to the end, the last sync of a
 * large file would take as long as everything before it.
 */
const flushBytes = 64 * 1024 ** 2;

/** Blocks are copied, because whoever brings them uses their memory again. Larger ones than this are not seen in practice. */
const spareBytes = 1024 ** 2;

/** The most buffers that one writev takes on Linux (IOV_MAX). */
const maxBuffersPerWrite = 1024;

/** Appends blocks to a file in the background, several a system call, holding at most 16 MiB and one block. */
export class WriteQueue {
  readonly #file: FileHandle;
  #queued: Uint8Array[] = [];
  /** Memory that is used again: as much as was ever queued at once. */
  readonly #spare: Uint8Array[] = [];
  #queuedBytes = 0;
  #unflushedBytes = 0;
  #writing: Promise<void> | undefined;
  #flushing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #nextBatch = Promise.withResolvers<void>();

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Copies the block. Resolves once there is room for another; rejects if an earlier one could not be written. */
  async push(block: Uint8Array): Promise<void> {
    this.#throwIfFailed();
    this.#queued.push(this.#copy(block));
    this.#queuedBytes += block.length;
    this.#writing ??= this.#writeQueued();
    while (this.#queuedBytes > maxQueuedBytes && this.#failure === undefined) await this.#nextBatch.promise;
    this.#throwIfFailed();
  }

  /** Resolves once every block is written; rejects if one could not be. */
  async drain(): Promise<void> {
    await this.#settle();
    this.#throwIfFailed();
  }

  /** Drops what is not written yet. Resolves once nothing is being written any more, well or not. */
  async abandon(): Promise<void> {
    this.#fail(new Error('the file was given up'));
    this.#queued = [];
    await this.#settle();
  }

  async #settle(): Promise<void> {
    await this.#writing;
    await this.#flushing;
  }

  async #writeQueued(): Promise<void> {
    while (this.#queued.length > 0 && this.#failure === undefined) {
      const batch = this.#queued.splice(0, maxBuffersPerWrite);
      try {
        const writtenBytes = await writeAll(this.#file, batch);
        this.#giveBack(batch);
        this.#queuedBytes -= writtenBytes;
        this.#unflushedBytes += writtenBytes;
      } catch (error) {
        this.#fail(error);
      }
      if (this.#unflushedBytes >= flushBytes) this.#flushing ??= this.#flush();
      this.#wakeWriters();
    }
    this.#writing = undefined;
  }

  #copy(block: Uint8Array): Uint8Array {
    if (block.length > spareBytes) return Uint8Array.from(block);
    const spare = this.#spare.pop() ?? new Uint8Array(spareBytes);
    spare.set(block);
    return spare.subarray(0, block.length);
  }

  #giveBack(batch: readonly Uint8Array[]): void {
    for (const { buffer } of batch) if (buffer.byteLength === spareBytes) this.#spare.push(new Uint8Array(buffer));
  }

  async #flush(): Promise<void> {
    this.#unflushedBytes = 0;
    try {
      await this.#file.datasync();
    } catch (error) {
      this.#fail(error);
    }
    this.#flushing = undefined;
  }

  /** Kept for good: bytes that the kernel once failed to write, it does not report a second time. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wakeWriters();
  }

  #wakeWriters(): void {
    this.#nextBatch.resolve();
    this.#nextBatch = Promise.withResolvers<void>();
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** A write may take less than it was given; the rest is written again. */
async function writeAll(file: FileHandle, batch: Uint8Array[]): Promise<number> {
  let writtenBytes = 0;
  let rest = batch;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest);
    writtenBytes += bytesWritten;
    rest = withoutFirst(rest, bytesWritten);
  }
  return writtenBytes;
}

function withoutFirst(blocks: Uint8Array[], sizeBytes: number): Uint8Array[] {
  let leftBytes = sizeBytes;
  for (const [index, block] of blocks.entries()) {
    if (leftBytes < block.length) return [block.subarray(leftBytes), ...blocks.slice(index + 1)];
    leftBytes -= block.length;
  }
  return [];
}
