import { throwIfInterrupted } from '../../src/adapters/store-layers/interruption.ts';
import { WardenError } from '../../src/errors/warden-error.ts';
import type { ObjectBody, ObjectInfo, ObjectStore, Upload } from '../../src/ports/object-store.ts';

interface StoredObject {
  readonly bytes: Buffer;
  readonly modifiedAt: Date;
}

interface PendingUpload {
  readonly key: string;
}

const readBlockBytes = 64 * 1024;

/** A store that keeps all in memory; passes the conformance suite. Tests may change `objects` behind its back. */
export interface MemoryStore extends ObjectStore {
  readonly objects: Map<string, StoredObject>;
  /** Uploads that were neither completed nor dropped. */
  readonly uploads: Set<PendingUpload>;
}

export function createMemoryStore(description = 'memory'): MemoryStore {
  const objects = new Map<string, StoredObject>();
  const uploads = new Set<PendingUpload>();

  const put = (key: string, bytes: Buffer): void => {
    if (objects.has(key)) throw new WardenError('store-object-exists', `${key} exists already`);
    objects.set(key, { bytes, modifiedAt: new Date() });
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

  return {
    description,
    objects,
    uploads,
    create: async (key, body, signal) => {
      throwIfInterrupted(signal);
      put(key, Buffer.from(body));
    },
    startUpload: async (key, { maxBytes }, signal) => {
      throwIfInterrupted(signal);
      const pending = { key };
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
    remove: async (key, signal) => {
      throwIfInterrupted(signal);
      objects.delete(key);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };

  function uploadOf(pending: PendingUpload, maxBytes: number, signal: AbortSignal): Upload {
    const blocks: Uint8Array[] = [];
    let takenBytes = 0;
    return {
      write: async (block) => {
        throwIfInterrupted(signal);
        takenBytes += block.length;
        if (takenBytes > maxBytes) throw new WardenError('store-refused', `more than ${maxBytes} bytes came`);
        blocks.push(block);
      },
      complete: async () => {
        throwIfInterrupted(signal);
        put(pending.key, Buffer.concat(blocks));
        uploads.delete(pending);
      },
      [Symbol.asyncDispose]: async () => void uploads.delete(pending),
    };
  }
}

function infoOf(key: string, { bytes, modifiedAt }: StoredObject): ObjectInfo {
  return { key, sizeBytes: bytes.length, modifiedAt };
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
