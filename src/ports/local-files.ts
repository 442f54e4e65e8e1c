/**
 * Files that the operator named on the command line. Rejections are WardenErrors: `interrupted` (or the WardenError that
 * the signal was aborted with) once it is, even while a pipe or a hung mount answers nothing.
 */
export interface LocalFiles {
  /**
   * Begins a file at `path`, which must not exist (`target-exists`). Nothing is seen at `path` before `commit`.
   * Disposing without it leaves nothing behind. The signal holds for `write` and `commit` as well.
   */
  create(path: string, signal: AbortSignal): Promise<NewFile>;
  /** The bytes of an existing file; `file-failed` if it cannot be read. */
  read(path: string, signal: AbortSignal): LocalBytes;
}

export interface NewFile extends AsyncDisposable {
  /** Absolute. */
  readonly path: string;
  /** Copies `block`; resolves once there is room for another. */
  write(block: Uint8Array): Promise<void>;
  /** Durable and visible under `path` once resolved; `target-exists` if something appeared there meanwhile. */
  commit(): Promise<void>;
}

export interface LocalBytes extends AsyncIterable<Uint8Array> {
  /** Absolute. */
  readonly path: string;
}
