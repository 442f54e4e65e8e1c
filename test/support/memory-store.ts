import { throwIfInterrupted } from '../../src/adapters/store-layers/interruption.ts';
import { WardenError } from '../../src/errors/warden-error.ts';
import type {
  ObjectBody,
  ObjectInfo,
  ObjectStore,
  RemovalOutcome,
  UnfinishedUpload,
  Upload,
} from '../../src/ports/object-store.ts';

interface StoredObject {
  readonly bytes: Buffer;
  readonly modifiedAt: Date;
  readonly lockedUntil?: Date | undefined;
  readonly storageClass?: string | undefined;
}

interface PendingUpload {
  readonly key: string;
  readonly touchedAt: Date;
}

const readBlockBytes = 64 * 1024;

export interface MemoryStoreOptions {
  /** The store's own clock, for its times and for what is still locked. */
  readonly now?: () => Date;
  /** What is written cannot be removed for this long, unless it is created as removable. */
  readonly lockMs?: number;
  /** Removals say that the bytes are kept as an older version. */
  readonly keepsVersions?: boolean;
}

/** A store that keeps all in memory; passes the conformance suite. Tests may change what it holds behind its back. */
export interface MemoryStore extends ObjectStore {
  readonly objects: Map<string, StoredObject>;
  /** Uploads that were neither completed nor dropped. */
  readonly uploads: Set<PendingUpload>;
  /** By key: what a removal fails with, as long as it stands here. */
  readonly failingRemovals: Map<string, WardenError>;
}

export function createMemoryStore(description = 'memory', options: MemoryStoreOptions = {}): MemoryStore {
  const { now = () => new Date(), lockMs, keepsVersions = false } = options;
  const objects = new Map<string, StoredObject>();
  const uploads = new Set<PendingUpload>();
  const failingRemovals = new Map<string, WardenError>();

  const put = (key: string, bytes: Buffer, removable = false): void => {
    if (objects.has(key)) throw new WardenError('store-object-exists', `${key} exists already`);
    const modifiedAt = now();
    const isLocked = lockMs !== undefined && !removable;
    objects.set(key, { bytes, modifiedAt, ...(isLocked && { lockedUntil: new Date(modifiedAt.getTime() + lockMs) }) });
  };

  const remove = (key: string): RemovalOutcome => {
    const error = failingRemovals.get(key);
    if (error !== undefined) return { kind: 'failed', error };
    const until = objects.get(key)?.lockedUntil;
    if (until !== undefined && until > now()) return { kind: 'locked', until };
    return { kind: 'removed', isKeptAsVersion: objects.delete(key) && keepsVersions };
  };

  async function* list(prefix: string, signal: AbortSignal): AsyncGenerator<ObjectInfo> {
    throwIfInterrupted(signal);
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix));
    for (const key of keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
      throwIfInterrupted(signal);
      const object = objects.get(key);
      if (object !== undefined) yield infoOf(key, object);
    }
  }

  async function* unfinishedUploads(prefix: string, signal: AbortSignal): AsyncGenerator<UnfinishedUpload> {
    for (const pending of [...uploads].filter(({ key }) => key.startsWith(prefix))) {
      throwIfInterrupted(signal);
      yield {
        key: pending.key,
        touchedAt: pending.touchedAt,
        abort: async (stop) => {
          throwIfInterrupted(stop);
          uploads.delete(pending);
        },
      };
    }
    throwIfInterrupted(signal);
  }

  return {
    description,
    objects,
    uploads,
    failingRemovals,
    create: async (key, body, signal, { removable = false } = {}) => {
      throwIfInterrupted(signal);
      put(key, Buffer.from(body), removable);
    },
    startUpload: async (key, { maxBytes }, signal) => {
      throwIfInterrupted(signal);
      const pending = { key, touchedAt: now() };
      uploads.add(pending);
      return uploadOf(pending, maxBytes, signal);
    },
    read: async (key, { offset = 0 }, signal) => {
      throwIfInterrupted(signal);
      const object = objects.get(key);
      if (object === undefined) throw new WardenError('store-object-missing', `nothing is stored under ${key}`);
      if (offset > 0 && offset >= object.bytes.length) {
        throw new WardenError('store-refused', `offset ${offset} is beyond the end of ${key}`);
      }
      return bodyOf(object.bytes.subarray(offset), signal);
    },
    stat: async (key, signal) => {
      throwIfInterrupted(signal);
      const object = objects.get(key);
      return object === undefined ? undefined : infoOf(key, object);
    },
    list,
    removeAll: async (keys, signal) => {
      const outcomes: RemovalOutcome[] = [];
      for (const key of keys) {
        throwIfInterrupted(signal);
        // The caller may interrupt between any two.
        outcomes.push(await Promise.resolve(remove(key)));
      }
      throwIfInterrupted(signal);
      return outcomes;
    },
    unfinishedUploads,
    [Symbol.asyncDispose]: async () => undefined,
  };

  function uploadOf(pending: PendingUpload, maxBytes: number, signal: AbortSignal): Upload {
    const blocks: Uint8Array[] = [];
    let takenBytes = 0;
    const throwUnlessPending = (): void => {
      throwIfInterrupted(signal);
      if (!uploads.has(pending)) throw new WardenError('store-refused', `the upload of ${pending.key} is no more`);
    };
    return {
      write: async (block) => {
        throwUnlessPending();
        takenBytes += block.length;
        if (takenBytes > maxBytes) throw new WardenError('store-refused', `more than ${maxBytes} bytes came`);
        blocks.push(block);
      },
      complete: async () => {
        throwUnlessPending();
        put(pending.key, Buffer.concat(blocks));
        uploads.delete(pending);
      },
      [Symbol.asyncDispose]: async () => void uploads.delete(pending),
    };
  }
}

function infoOf(key: string, { bytes, modifiedAt, lockedUntil, storageClass }: StoredObject): ObjectInfo {
  return { key, sizeBytes: bytes.length, modifiedAt, lockedUntil, storageClass };
}

function bodyOf(bytes: Buffer, signal: AbortSignal): ObjectBody {
  async function* blocks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += readBlockBytes) {
      throwIfInterrupted(signal);
      yield bytes.subarray(at, at + readBlockBytes);
    }
  }
  return { sizeBytes: bytes.length, [Symbol.asyncIterator]: blocks, [Symbol.asyncDispose]: async () => undefined };
}
