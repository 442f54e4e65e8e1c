import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { isWardenError } from '../../errors/warden-error.ts';
import type { ObjectInfo, ObjectStore, Upload } from '../../ports/object-store.ts';
import { throwIfInterrupted } from '../store-layers/interruption.ts';
import { Bucket } from './bucket.ts';
import { isFateUnknown } from './errors.ts';
import { listObjects } from './list-objects.ts';
import type { S3StoreOptions } from './options.ts';
import { openObject } from './read-object.ts';
import { clearAway } from './upload-cleanup.ts';
import { S3Upload } from './upload.ts';
import { newWriteMark, putOnce, removeObject } from './write-once.ts';

/** A store in an S3 bucket. It tries once; only requests inside an upload are tried again, as `options.retry` says. */
export function createS3Store(options: S3StoreOptions): ObjectStore {
  const bucket = new Bucket(options);
  const { names } = bucket;
  return {
    description: bucket.description,
    create: (key, body, signal) => create(bucket, names.nameOf(key), body, signal),
    startUpload: (key, { maxBytes }, signal) => startUpload(bucket, names.nameOf(key), maxBytes, signal),
    read: (key, { offset = 0 }, signal) => openObject(bucket, names.nameOf(key), offset, signal),
    stat: (key, signal) => stat(bucket, key, signal),
    list: (prefix, signal) => listObjects(bucket, prefix, signal),
    remove: (key, signal) => removeObject(bucket, names.nameOf(key), signal),
    [Symbol.asyncDispose]: () => {
      bucket[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

async function create(bucket: Bucket, name: string, body: Uint8Array, signal: AbortSignal): Promise<void> {
  const mark = newWriteMark();
  try {
    await putOnce(bucket, name, body, mark, signal);
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

async function stat(bucket: Bucket, key: string, signal: AbortSignal): Promise<ObjectInfo | undefined> {
  const name = bucket.names.nameOf(key);
  const command = new HeadObjectCommand({ Bucket: bucket.options.bucket, Key: name });
  const about = { operation: 'HeadObject', name };
  try {
    const head = await bucket.ask(about, (client, options) => client.send(command, options), signal);
    return { key, sizeBytes: head.ContentLength ?? 0, modifiedAt: head.LastModified ?? new Date(0) };
  } catch (error) {
    if (isWardenError(error, 'store-object-missing')) return undefined;
    throw error;
  }
}
