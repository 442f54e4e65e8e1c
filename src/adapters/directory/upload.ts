import { constants } from 'node:fs';
import { link, open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { WardenError } from '../../errors/warden-error.ts';
import type { Upload } from '../../ports/object-store.ts';
import { throwIfInterrupted } from '../store-layers/interruption.ts';
import { converted, systemCode, toStoreError } from './errors.ts';
import { makeFolders, removeEmptyFolders, syncFolders, unlinkIfThere } from './folders.ts';
import type { DirectoryStoreOptions } from './options.ts';
import { temporaryName, type ObjectPath } from './object-path.ts';
import { WriteQueue } from '../system/write-queue.ts';

/** Writes a hidden file beside the object's place; a hard link, which fails where the name is taken, makes it visible. */
export class DirectoryUpload implements Upload {
  readonly #store: DirectoryStoreOptions;
  readonly #path: ObjectPath;
  readonly #temporary: TemporaryFile;
  readonly #queue: WriteQueue;
  readonly #maxBytes: number;
  readonly #signal: AbortSignal;
  #takenBytes = 0;
  #isLinked = false;
  #isDone = false;

  static async start(
    store: DirectoryStoreOptions,
    path: ObjectPath,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<DirectoryUpload> {
    throwIfInterrupted(signal);
    const temporary = await converted(`begin ${path.filePath}`, () => openTemporary(store.path, path));
    return new DirectoryUpload(store, path, temporary, maxBytes, signal);
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
    await converted(`write ${this.#path.filePath}`, () => this.#queue.push(block));
  }

  async complete(): Promise<void> {
    const { filePath, folderPath } = this.#path;
    const { file, path: temporaryPath } = this.#temporary;
    await converted(`store ${filePath}`, async () => {
      await this.#queue.drain();
      await file.sync();
      throwIfInterrupted(this.#signal);
      await this.#publish();
      await unlink(temporaryPath);
      await syncFolders(this.#store.path, folderPath);
      await file.close();
    });
    this.#isDone = true;
  }

  /** Never rejects: the error that ended the upload matters more. What stays is reported by `onLeftover`. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDone) return;
    await this.#queue.settle();
    try {
      await this.#temporary.file.close();
      if (this.#isLinked) await unlinkIfThere(this.#path.filePath);
      await unlinkIfThere(this.#temporary.path);
      await this.#temporary.removeMadeFolders();
    } catch (error) {
      this.#store.onLeftover?.(toStoreError(error, `clear away ${this.#temporary.path}`));
    }
  }

  async #publish(): Promise<void> {
    try {
      await link(this.#temporary.path, this.#path.filePath);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
      throw new WardenError('store-object-exists', `${this.#path.filePath} exists already.`, { cause: error });
    }
    this.#isLinked = true;
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
