import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { DeleteObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { isWardenError, WardenError } from '../../errors/warden-error.ts';
import type { CreateOptions } from '../../ports/object-store.ts';
import type { Bucket } from './bucket.ts';
import { checksumHeaders } from './checksums.ts';
import { cleanupRetry } from './cleanup-retry.ts';
import { incompleteAnswer } from './not-s3.ts';
import type { S3StoreOptions } from './options.ts';

/** Metadata that tells an object of this very write from one that somebody else stored under the same name. */
const writeMark = 'etcd-warden-write';

export function newWriteMark(): string {
  return randomUUID();
}

/** Headers of every object that the store writes. Only what is `removable` is never locked by them. */
export function objectHeaders(options: S3StoreOptions, mark: string, { removable = false }: CreateOptions = {}) {
  const { storageClass, serverSideEncryption: encryption } = options;
  const objectLock = removable ? undefined : options.objectLock;
  return {
    Metadata: { [writeMark]: mark },
    ...(storageClass !== undefined && { StorageClass: storageClass as 'STANDARD' }),
    ...(encryption !== undefined && { ServerSideEncryption: encryption.type }),
    ...(encryption?.kmsKeyId !== undefined && { SSEKMSKeyId: encryption.kmsKeyId }),
    ...(objectLock !== undefined && {
      ObjectLockMode: objectLock.mode === 'governance' ? ('GOVERNANCE' as const) : ('COMPLIANCE' as const),
      ObjectLockRetainUntilDate: wholeSecond(Date.now() + objectLock.retainMs),
    }),
  };
}

/** Some stores tell the seconds of a lock only: so that what they tell is never before its end, there is nothing else. */
function wholeSecond(timeMs: number): Date {
  return new Date(Math.ceil(timeMs / 1000) * 1000);
}

/** Stores `body` if nothing is stored under `name`. */
export async function putOnce(
  bucket: Bucket,
  name: string,
  body: Uint8Array,
  mark: string,
  signal: AbortSignal,
  options?: CreateOptions,
): Promise<void> {
  const command = new PutObjectCommand({
    Bucket: bucket.options.bucket,
    Key: name,
    Body: body,
    ContentLength: body.length,
    IfNoneMatch: '*',
    ...objectHeaders(bucket.options, mark, options),
    ...checksumHeaders(body, bucket.options),
  });
  const about = { operation: 'PutObject', name, writes: true };
  const answer = await bucket.ask(about, (client, sending) => client.send(command, sending), signal);
  // A web server may say 200 to a PUT and store nothing.
  if (!answer.ETag) throw incompleteAnswer('PutObject', name, 'an ETag');
}

/** Whether the object stored under `name` is the one that was written with `mark`. */
async function carriesMark(bucket: Bucket, name: string, mark: string, signal: AbortSignal): Promise<boolean> {
  const command = new HeadObjectCommand({ Bucket: bucket.options.bucket, Key: name });
  try {
    const head = await bucket.ask(
      { operation: 'HeadObject', name },
      (client, options) => client.send(command, options),
      signal,
    );
    return head.Metadata?.[writeMark] === mark;
  } catch (error) {
    if (isWardenError(error, 'store-object-missing')) return false;
    throw error;
  }
}

/** The same for an upload that has nothing else to go by: where this role may not look, the error says what helps. */
export async function knowsOwn(bucket: Bucket, name: string, mark: string, signal: AbortSignal): Promise<boolean> {
  try {
    return await carriesMark(bucket, name, mark, signal);
  } catch (error) {
    if (!isWardenError(error, 'store-access-denied')) throw error;
    const cure = 'Run it again: a new backup has a name of its own.';
    throw new WardenError(error.code, `${error.message}: the role lacks s3:GetObject. ${cure}`, {
      cause: error,
      details: error.details,
      hint: `${cure} With s3:GetObject the store could be asked (docs/permissions.md).`,
    });
  }
}

/** Looks after each of `waitsMs` whether a write that was cut off landed after all, and removes its object then. */
export async function removeIfItLands(
  bucket: Bucket,
  name: string,
  mark: string,
  waitsMs: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  for (const waitMs of waitsMs) {
    await sleep(waitMs, undefined, { signal });
    if (await cleanupRetry(() => carriesMark(bucket, name, mark, signal), signal)) {
      return cleanupRetry(() => removeObject(bucket, name, signal), signal);
    }
  }
}

async function removeObject(bucket: Bucket, name: string, signal: AbortSignal): Promise<void> {
  const command = new DeleteObjectCommand({ Bucket: bucket.options.bucket, Key: name });
  try {
    await bucket.ask({ operation: 'DeleteObject', name }, (client, options) => client.send(command, options), signal);
  } catch (error) {
    if (!isWardenError(error, 'store-object-missing')) throw error;
  }
}
