import { isWardenError } from '../../errors/warden-error.ts';
import type { ObjectBody, ObjectInfo, ObjectStore, UnfinishedUpload } from '../../ports/object-store.ts';
import { compareKeys } from './compare-keys.ts';
import { retryRemovals } from './retry-removals.ts';
import { retryCreate, type Retry } from './retry.ts';

/**
 * A store whose calls are tried again after failures that may pass. A body that breaks off is resumed where it broke,
 * a listing after the last key it gave. Uploads retry inside the adapter, which alone can send a part again.
 */
export function withRetries(store: ObjectStore, retry: Retry): ObjectStore {
  return {
    description: store.description,
    create: (key, body, signal, options) =>
      retryCreate(
        retry,
        () => store.create(key, body, signal, options),
        () => holdsExactly(store, key, body, signal),
        signal,
      ),
    startUpload: (key, options, signal) => store.startUpload(key, options, signal),
    read: async (key, options, signal) => {
      const open = (offset: number) => retry(() => store.read(key, { offset }, signal), signal);
      return resumable(await open(options.offset ?? 0), options.offset ?? 0, open);
    },
    stat: (key, signal) => retry(() => store.stat(key, signal), signal),
    list: (prefix, signal) => listResuming(store, prefix, retry, signal),
    removeAll: (keys, signal) => retryRemovals(store, keys, retry, signal),
    unfinishedUploads: (prefix, signal) => findUnfinished(store, prefix, retry, signal),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

async function holdsExactly(
  store: ObjectStore,
  key: string,
  wanted: Uint8Array,
  signal: AbortSignal,
): Promise<boolean> {
  await using body = await store.read(key, {}, signal);
  if (body.sizeBytes !== wanted.length) return false;
  const blocks: Uint8Array[] = [];
  for await (const block of body) blocks.push(block);
  return Buffer.concat(blocks).equals(wanted);
}

function resumable(first: ObjectBody, offset: number, open: (offset: number) => Promise<ObjectBody>): ObjectBody {
  let body = first;
  const endsAt = offset + first.sizeBytes;

  async function* blocks(): AsyncGenerator<Uint8Array> {
    let position = offset;
    let reopenedAt = -1;
    while (position < endsAt) {
      try {
        for await (const block of body) {
          position += block.length;
          yield block;
        }
        return;
      } catch (error) {
        // A body that was opened again and gave nothing is no passing fault.
        if (!isWardenError(error) || !error.retryable || position === reopenedAt) throw error;
        await body[Symbol.asyncDispose]();
        reopenedAt = position;
        if (position < endsAt) body = await open(position);
      }
    }
  }

  return {
    sizeBytes: first.sizeBytes,
    [Symbol.asyncIterator]: blocks,
    [Symbol.asyncDispose]: () => body[Symbol.asyncDispose](),
  };
}

async function* listResuming(
  store: ObjectStore,
  prefix: string,
  retry: Retry,
  signal: AbortSignal,
): AsyncGenerator<ObjectInfo> {
  let entries = store.list(prefix, signal)[Symbol.asyncIterator]();
  let last: string | undefined;

  const nextAfterLast = async (): Promise<IteratorResult<ObjectInfo, unknown>> => {
    try {
      let step = await entries.next();
      while (step.done !== true && last !== undefined && compareKeys(step.value.key, last) <= 0) {
        step = await entries.next();
      }
      return step;
    } catch (error) {
      entries = store.list(prefix, signal)[Symbol.asyncIterator]();
      throw error;
    }
  };

  try {
    for (;;) {
      const step = await retry(nextAfterLast, signal);
      if (step.done === true) return;
      last = step.value.key;
      yield step.value;
    }
  } finally {
    await entries.return?.();
  }
}

/** These are few, so all are found before the first is given: beginning again gives none twice. */
async function* findUnfinished(
  store: ObjectStore,
  prefix: string,
  retry: Retry,
  signal: AbortSignal,
): AsyncGenerator<UnfinishedUpload> {
  const uploads = await retry(() => Array.fromAsync(store.unfinishedUploads(prefix, signal)), signal);
  for (const upload of uploads) {
    yield {
      key: upload.key,
      touchedAt: upload.touchedAt,
      abort: (stop) => retry(() => upload.abort(stop), stop),
    };
  }
}
