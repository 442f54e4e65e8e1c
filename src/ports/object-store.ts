import type { WardenError } from '../errors/warden-error.ts';

/**
 * A flat store of write-once objects: a bucket or a directory. Keys are relative to the store, `/` separates their
 * parts, and every adapter passes test/conformance/object-store.ts. Adapters try once; retry, limits and observation
 * are decorators in adapters/store-layers. Rejections are WardenErrors whose code starts with `store-`.
 */
export interface ObjectStore extends AsyncDisposable {
  /** For people: `s3://bucket/prefix`, `/var/backups/etcd`. */
  readonly description: string;
  /**
   * Stores a small object if and only if nothing is stored under `key`; else `store-object-exists`.
   * Resolves only once the object is durable and readable.
   */
  create(key: string, body: Uint8Array, signal: AbortSignal, options?: CreateOptions): Promise<void>;
  /**
   * Begins an upload of at most `maxBytes` bytes. No object is visible at `key` before `complete` resolved.
   * Disposing an upload that was not completed aborts it: neither an object nor parts nor temporary files remain.
   */
  startUpload(key: string, options: { readonly maxBytes: number }, signal: AbortSignal): Promise<Upload>;
  /**
   * Reads an object from `offset` on; an offset other than 0 lies below the object's size, else `store-refused`.
   * `store-object-missing` if there is none. Disposing releases the connection.
   */
  read(key: string, options: { readonly offset?: number }, signal: AbortSignal): Promise<ObjectBody>;
  /** undefined where nothing is stored under `key`. */
  stat(key: string, signal: AbortSignal): Promise<ObjectInfo | undefined>;
  /** Every object whose key starts with `prefix`, in ascending order of the keys' UTF-8 bytes, following every page. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo>;
  /**
   * Removes objects for good, each on its own and in any order; what is not there counts as removed. Resolves with one
   * outcome a key, in the order given: that one of them could not be removed is an outcome. Rejects only with
   * `interrupted`, after which some may be gone.
   */
  removeAll(keys: readonly string[], signal: AbortSignal): Promise<readonly RemovalOutcome[]>;
  /**
   * Uploads under keys below `prefix` that were neither completed nor aborted, by whichever process, in any order: some may
   * be under way. Nothing else is yielded.
   */
  unfinishedUploads(prefix: string, signal: AbortSignal): AsyncIterable<UnfinishedUpload>;
}

export interface CreateOptions {
  /** The object is not locked even where the store locks what it writes: `release` and `prune` must be able to remove it. */
  readonly removable?: boolean;
}

export interface ObjectInfo {
  readonly key: string;
  readonly sizeBytes: number;
  /** By the store's own clock. */
  readonly modifiedAt: Date;
  /**
   * Until when nobody may remove it: `stat` has the store's word for it, `list` what the store's options tell without asking.
   * undefined where it is not locked.
   */
  readonly lockedUntil?: Date | undefined;
  /** Whether somebody has it held in the store itself, with no end in sight; `stat` only. */
  readonly hasLegalHold?: boolean;
  /** As the store names it: `GLACIER`. undefined for its ordinary class, or where there are none. */
  readonly storageClass?: string | undefined;
}

export type RemovalOutcome =
  | {
      readonly kind: 'removed';
      /** Whether the store keeps the bytes as an older version, hidden and paid for. */
      readonly isKeptAsVersion: boolean;
    }
  /** The store forbids it, for everybody; `until` is undefined where it does not say how long, or for a legal hold. */
  | { readonly kind: 'locked'; readonly until: Date | undefined }
  | { readonly kind: 'failed'; readonly error: WardenError };

export interface UnfinishedUpload {
  readonly key: string;
  /** By the store's own clock: when it began, or when its last byte was written. */
  readonly touchedAt: Date;
  /** Frees what it holds. Nothing to abort any more is no error. */
  abort(signal: AbortSignal): Promise<void>;
}

export interface Upload extends AsyncDisposable {
  /**
   * Takes over `block` (the caller does not change it afterwards) and resolves once there is room for another.
   * An upload holds at most a bounded number of parts; a failed part rejects the next write or `complete`.
   */
  write(block: Uint8Array): Promise<void>;
  /** Makes the object visible, create-only: `store-object-exists` if the key is taken. Durable once resolved. */
  complete(): Promise<void>;
}

export interface ObjectBody extends AsyncIterable<Uint8Array>, AsyncDisposable {
  /** Bytes that the body yields: all of the object from the offset on. A body that ends earlier rejects. */
  readonly sizeBytes: number;
}
