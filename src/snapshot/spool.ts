import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { describeThrown, WardenError } from '../errors/warden-error.ts';
import { blockSizeBytes, type Bytes } from './bytes.ts';

export interface SpoolOptions {
  readonly directory: string;
  /** At most so much is held; then the source has to wait. */
  readonly maxSizeBytes: number;
}

/**
 * A file of sealed bytes between the seal and a slow store, so that etcd's stream can end before the store has taken
 * everything. The file never has a name, where the file system can do that: whatever ends the process, nothing remains. A
 * consumer that keeps up gets its blocks from memory and the file stays empty. Never for plaintext.
 */
export interface Spool extends AsyncDisposable {
  /**
   * Reads `source` as fast as there is room, whether or not anybody reads here. Once only. Errors of the source come
   * after the bytes before them. Rejects with `store-full` or `file-failed` where the file cannot hold them.
   */
  through(source: Bytes, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export async function openSpool({ directory, maxSizeBytes }: SpoolOptions): Promise<Spool> {
  try {
    return new FileSpool(await openNameless(directory), maxSizeBytes);
  } catch (error) {
    throw asFileError(error);
  }
}

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY } = constants;

/** Makes a file that never has a name; Node has no constant for it. Source: Linux, asm-generic/fcntl.h, O_TMPFILE. */
const O_TMPFILE = 0o20_000_000 | O_DIRECTORY;

/** What it fails with on file systems that have no such files: open(2), "ERRORS"; EINVAL on some network ones. */
const noNamelessFiles: ReadonlySet<unknown> = new Set(['EOPNOTSUPP', 'ENOTSUP', 'EISDIR', 'EINVAL']);

async function openNameless(directory: string): Promise<FileHandle> {
  try {
    return await open(directory, O_RDWR | O_TMPFILE | O_EXCL, 0o600);
  } catch (error) {
    if (!noNamelessFiles.has((error as NodeJS.ErrnoException).code)) throw error;
  }
  // A process that is killed between these two steps leaves a file of no bytes.
  const path = join(directory, `.etcd-warden-spool-${randomUUID()}`);
  const file = await open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  await unlink(path);
  return file;
}

class FileSpool implements Spool {
  readonly #file: FileHandle;
  readonly #maxSizeBytes: number;
  /** Bytes that ever went in and came out; the file is a ring, so a position in it is the remainder. */
  #writtenBytes = 0;
  #readBytes = 0;
  /** A block handed over in memory, to a consumer that is waiting for it. */
  #handed: Uint8Array | undefined;
  #consumerWaits = false;
  #ended = false;
  #closed = false;
  #writing: Promise<void> = Promise.resolve();
  #changed = Promise.withResolvers<void>();

  constructor(file: FileHandle, maxSizeBytes: number) {
    this.#file = file;
    this.#maxSizeBytes = maxSizeBytes;
  }

  async *through(source: Bytes, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    const wake = (): void => this.#announce();
    signal.addEventListener('abort', wake);
    const filling = this.#fill(source, signal).finally(() => {
      this.#ended = true;
      this.#announce();
    });
    filling.catch(() => undefined); // Thrown below, once what came before it was read.
    try {
      for (let block = await this.#next(signal); block !== undefined; block = await this.#next(signal)) yield block;
      await filling;
    } finally {
      this.#closed = true;
      this.#announce();
      signal.removeEventListener('abort', wake);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#announce();
    await this.#writing.catch(() => undefined);
    await this.#file.close();
  }

  async #fill(source: Bytes, signal: AbortSignal): Promise<void> {
    for await (const block of source) {
      if (!(await this.#put(block, signal))) return;
    }
  }

  /** False once nobody will read any more. */
  async #put(block: Uint8Array, signal: AbortSignal): Promise<boolean> {
    let rest = block;
    while (rest.length > 0) {
      signal.throwIfAborted();
      if (this.#closed) return false;
      if (this.#consumerWaits && this.#heldBytes === 0 && this.#handed === undefined) {
        this.#handed = rest;
        this.#announce();
        return true;
      }
      const position = this.#writtenBytes % this.#maxSizeBytes;
      const room = Math.min(this.#maxSizeBytes - this.#heldBytes, this.#maxSizeBytes - position);
      if (room === 0) {
        await this.#changed.promise;
        continue;
      }
      const piece = rest.subarray(0, room);
      this.#writing = writeWhole(this.#file, piece, position);
      await this.#writing;
      this.#writtenBytes += piece.length;
      this.#announce();
      rest = rest.subarray(piece.length);
    }
    return true;
  }

  async #next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      signal.throwIfAborted();
      // Handed over while nothing was held, so it comes before whatever the file holds by now.
      if (this.#handed !== undefined) {
        const block = this.#handed;
        this.#handed = undefined;
        return block;
      }
      if (this.#heldBytes > 0) return this.#readHeld();
      if (this.#ended) return undefined;
      this.#consumerWaits = true;
      await this.#changed.promise;
      this.#consumerWaits = false;
    }
  }

  async #readHeld(): Promise<Uint8Array> {
    const position = this.#readBytes % this.#maxSizeBytes;
    const length = Math.min(blockSizeBytes, this.#heldBytes, this.#maxSizeBytes - position);
    const block = await readWhole(this.#file, length, position);
    this.#readBytes += length;
    this.#announce();
    return block;
  }

  get #heldBytes(): number {
    return this.#writtenBytes - this.#readBytes;
  }

  /** Wakes whoever waits; each looks again whether its wait is over. */
  #announce(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }
}

async function writeWhole(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  try {
    for (let done = 0; done < bytes.length;) {
      done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
    }
  } catch (error) {
    throw asFileError(error);
  }
}

async function readWhole(file: FileHandle, length: number, position: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(length);
  try {
    for (let done = 0; done < length;) {
      const { bytesRead } = await file.read(bytes, done, length - done, position + done);
      if (bytesRead === 0) throw new Error('the spool file became shorter');
      done += bytesRead;
    }
  } catch (error) {
    throw asFileError(error);
  }
  return bytes;
}

function asFileError(error: unknown): WardenError {
  const isFull = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  return new WardenError(isFull ? 'store-full' : 'file-failed', `snapshot.spool: ${describeThrown(error)}`, {
    cause: error,
  });
}
