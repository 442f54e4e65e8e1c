import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { WardenError } from '../../errors/warden-error.ts';
import type { Upload } from '../../ports/object-store.ts';
import { orInterrupted, throwIfInterrupted } from '../store-layers/interruption.ts';
import { endsWithin, noAnswer, releaseLimitMs } from '../system/ends-within.ts';
import { publishFile } from '../system/publish-file.ts';
import { WriteQueue } from '../system/write-queue.ts';
import { converted, systemCode, toStoreError } from './errors.ts';
import { makeFolders, removeEmptyFolders, syncFolders, unlinkIfThere } from './folders.ts';
import type { DirectoryStoreOptions } from './options.ts';
import { temporaryName, type ObjectPath } from './object-path.ts';

/** Writes a hidden file beside the object's place, which becomes visible by a step that fails where the name is taken. */
export class DirectoryUpload implements Upload {
  readonly #store: DirectoryStoreOptions;
  readonly #path: ObjectPath;
  readonly #temporary: TemporaryFile;
  readonly #queue: WriteQueue;
  readonly #maxBytes: number;
  readonly #signal: AbortSignal;
  #takenBytes = 0;
  #storing: Promise<void> | undefined;
  #isVisible = false;
  #isDone = false;

  static async start(
    store: DirectoryStoreOptions,
    path: ObjectPath,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<DirectoryUpload> {
    const begin = async (): Promise<DirectoryUpload> => {
      const temporary = await converted(`begin ${path.filePath}`, () => openTemporary(store.path, path));
      return new DirectoryUpload(store, path, temporary, maxBytes, signal);
    };
    return orInterrupted(signal, begin, (late) => late[Symbol.asyncDispose]());
  }

  private constructor(
    store: DirectoryStoreOptions,
    path: ObjectPath,
    temporary: TemporaryFile,
    maxBytes: number,
    signal: AbortSignal,
  ) {
    this.#store = store;
    this.#path = path;
    this.#temporary = temporary;
    this.#queue = new WriteQueue(temporary.file);
    this.#maxBytes = maxBytes;
    this.#signal = signal;
  }

  async write(block: Uint8Array): Promise<void> {
    throwIfInterrupted(this.#signal);
    this.#takenBytes += block.length;
    if (this.#takenBytes > this.#maxBytes) {
      throw new WardenError(
        'store-refused',
        `The upload of ${this.#path.key} was begun for ${this.#maxBytes} bytes at most; more came.`,
      );
    }
    await orInterrupted(this.#signal, () => converted(`write ${this.#path.filePath}`, () => this.#queue.push(block)));
  }

  async complete(): Promise<void> {
    await orInterrupted(this.#signal, () => (this.#storing = this.#finish()));
    this.#isDone = true;
  }

  /** Never rejects: the error that ended the upload matters more. What stays is reported by `onLeftover`. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDone) return;
    try {
      if (!(await endsWithin(releaseLimitMs, this.#clearAway()))) throw noAnswer();
    } catch (error) {
      this.#store.onLeftover?.(toStoreError(error, `clear away ${this.#temporary.path}, which is safe to remove`));
    }
  }

  async #finish(): Promise<void> {
    const { filePath, folderPath } = this.#path;
    const { file, path: temporaryPath } = this.#temporary;
    await converted(`store ${filePath}`, async () => {
      await this.#queue.drain();
      await file.sync();
      await file.close();
      throwIfInterrupted(this.#signal);
      await this.#publish();
      this.#isVisible = true;
      await unlinkIfThere(temporaryPath);
      await syncFolders(this.#store.path, folderPath);
    });
  }

  async #publish(): Promise<void> {
    try {
      await publishFile(this.#temporary.path, this.#path.filePath);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
      throw new WardenError('store-object-exists', `${this.#path.filePath} exists already.`, { cause: error });
    }
  }

  async #clearAway(): Promise<void> {
    // A step under way when the signal was aborted may still make the object visible.
    await Promise.allSettled([this.#queue.abandon(), this.#storing]);
    // What a close says of bytes that are given up does not matter, and closing twice does nothing.
    await this.#temporary.file.close().catch(() => undefined);
    if (this.#isVisible) await unlinkIfThere(this.#path.filePath);
    await unlinkIfThere(this.#temporary.path);
    await this.#temporary.removeMadeFolders();
  }
}

interface TemporaryFile {
  readonly path: string;
  readonly file: FileHandle;
  removeMadeFolders(): Promise<void>;
}

/** A folder that was empty may be removed by another call just before the file is made in it: then it is made again. */
async function openTemporary(root: string, path: ObjectPath): Promise<TemporaryFile> {
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
  const temporaryPath = join(path.folderPath, temporaryName(path.fileName));
  for (let attempt = 1; ; attempt += 1) {
    const made = await makeFolders(root, path.folders);
    const removeMadeFolders = async () => {
      if (made.length > 0) await removeEmptyFolders(root, path.folderPath);
    };
    try {
      const file = await open(temporaryPath, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
      return { path: temporaryPath, file, removeMadeFolders };
    } catch (error) {
      if (systemCode(error) === 'ENOENT' && attempt < 5) continue;
      await removeMadeFolders();
      throw error;
    }
  }
}
