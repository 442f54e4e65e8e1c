import type { CreateOptions, ObjectStore, Upload } from '../../ports/object-store.ts';
import { throwIfInterrupted } from '../store-layers/interruption.ts';
import { Bucket } from './bucket.ts';
import { isFateUnknown } from './errors.ts';
import { listObjects } from './list-objects.ts';
import type { S3StoreOptions } from './options.ts';
import { openObject } from './read-object.ts';
import { removeObjects } from './remove-objects.ts';
import { statObject } from './stat-object.ts';
import { unfinishedUploads } from './unfinished-uploads.ts';
import { clearAway } from './upload-cleanup.ts';
import { S3Upload } from './upload.ts';
import { newWriteMark, putOnce } from './write-once.ts';

/** A store in an S3 bucket. It tries once; only requests inside an upload are tried again, as `options.retry` says. */
export function createS3Store(options: S3StoreOptions): ObjectStore {
  const bucket = new Bucket(options);
  const { names } = bucket;
  return {
    description: bucket.description,
    create: (key, body, signal, how) => create(bucket, names.nameOf(key), body, signal, how),
    startUpload: (key, { maxBytes }, signal) => startUpload(bucket, names.nameOf(key), maxBytes, signal),
    read: (key, { offset = 0 }, signal) => openObject(bucket, names.nameOf(key), offset, signal),
    stat: (key, signal) => statObject(bucket, key, signal),
    list: (prefix, signal) => listObjects(bucket, prefix, signal),
    removeAll: (keys, signal) => removeObjects(bucket, keys, signal),
    unfinishedUploads: (prefix, signal) => unfinishedUploads(bucket, prefix, signal),
    [Symbol.asyncDispose]: () => {
      bucket[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

async function create(
  bucket: Bucket,
  name: string,
  body: Uint8Array,
  signal: AbortSignal,
  how: CreateOptions | undefined,
): Promise<void> {
  throwIfInterrupted(signal);
  const mark = newWriteMark();
  try {
    await putOnce(bucket, name, body, mark, signal, how);
  } catch (error) {
    // Without the signal a caller may try again, and find by reading what became of this attempt.
    if (signal.aborted && isFateUnknown(error)) {
      await clearAway(bucket, { name, mark, multipart: undefined, mayHaveBegun: false, mayHaveLanded: true });
    }
    throw error;
  }
}

/** Sends nothing yet: whether it takes one request or many shows with the second part. */
function startUpload(bucket: Bucket, name: string, maxBytes: number, signal: AbortSignal): Promise<Upload> {
  return new Promise((resolve) => {
    throwIfInterrupted(signal);
    resolve(new S3Upload(bucket, name, maxBytes, signal));
  });
}
