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
  create(key: string, body: Uint8Array, signal: AbortSignal): Promise<void>;
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
  /** Removes one object. Removing what is not there is no error. */
  remove(key: string, signal: AbortSignal): Promise<void>;
}

export interface ObjectInfo {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
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
