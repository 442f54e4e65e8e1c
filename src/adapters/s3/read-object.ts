import { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { WardenError } from '../../errors/warden-error.ts';
import type { ObjectBody } from '../../ports/object-store.ts';
import type { Bucket } from './bucket.ts';
import { incompleteAnswer } from './not-s3.ts';

const operation = 'GetObject';

/** Opens an object from `offset` on. The body holds its connection until it is read to the end or disposed. */
export async function openObject(
  bucket: Bucket,
  name: string,
  offset: number,
  signal: AbortSignal,
): Promise<ObjectBody> {
  const command = new GetObjectCommand({
    Bucket: bucket.options.bucket,
    Key: name,
    ...(offset > 0 && { Range: `bytes=${offset}-` }),
  });
  const answer = await bucket.askForBody(
    { operation, name },
    (client, options) => client.send(command, options),
    signal,
  );
  const body: unknown = answer.Body;
  if (!(body instanceof Readable)) {
    throw incompleteAnswer(operation, name, 'a body');
  }
  if (answer.ContentLength === undefined) {
    body.destroy();
    throw incompleteAnswer(operation, name, 'its length');
  }
  // Errors reach the reader by the iteration; one that comes while nobody reads must not end the process.
  body.on('error', () => undefined);
  if (offset > 0 && answer.ContentRange?.startsWith(`bytes ${offset}-`) !== true) {
    body.destroy();
    throw new WardenError(
      'store-refused',
      `${operation} of ${name}: the store ignored the range from byte ${offset} on.`,
    );
  }
  const sizeBytes = answer.ContentLength;
  return {
    sizeBytes,
    [Symbol.asyncIterator]: () => readBlocks(bucket, name, body, sizeBytes, signal),
    [Symbol.asyncDispose]: () => {
      body.destroy();
      return Promise.resolve();
    },
  };
}

async function* readBlocks(
  bucket: Bucket,
  name: string,
  body: Readable,
  sizeBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const stopReading = () => body.destroy(new Error('aborted'));
  signal.addEventListener('abort', stopReading, { once: true });
  let readBytes = 0;
  try {
    const blocks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    for (;;) {
      const step = await nextWithin(blocks, body, bucket.limits.idleMs);
      if (step.done === true) break;
      readBytes += step.value.length;
      yield step.value;
    }
    if (readBytes !== sizeBytes) throw new Error(`the body ended after ${readBytes} of ${sizeBytes} bytes`);
  } catch (thrown) {
    throw bucket.toError(thrown, { operation, name }, signal);
  } finally {
    signal.removeEventListener('abort', stopReading);
    body.destroy();
  }
}

/** Waits for the next block; only this waiting is limited, never the time in which the reader is busy elsewhere. */
async function nextWithin<T>(
  blocks: AsyncIterator<T>,
  body: Readable,
  idleMs: number,
): Promise<IteratorResult<T, unknown>> {
  const timer = setTimeout(() => {
    body.destroy(Object.assign(new Error(`no byte came for ${idleMs} ms`), { name: 'TimeoutError' }));
  }, idleMs);
  try {
    return await blocks.next();
  } finally {
    clearTimeout(timer);
  }
}
