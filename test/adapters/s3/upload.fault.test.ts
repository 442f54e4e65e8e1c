import { createHash, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withRetries } from '../../../src/adapters/store-layers/with-retries.ts';
import type { S3StoreOptions } from '../../../src/adapters/s3/options.ts';
import type { WardenError } from '../../../src/errors/warden-error.ts';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { uploadWhole } from '../../conformance/object-store.ts';
import {
  errorDocument,
  startHttpProxy,
  type HttpFault,
  type HttpProxy,
  type SeenRequest,
} from '../../support/http-proxy.ts';
import { openS3Store, quickRetry, startS3Server, type S3Server } from '../../support/s3.ts';

const partSizeBytes = 5 * 1024 ** 2;
const go = new AbortController().signal;
const throttled: HttpFault = { kind: 'error', status: 503, code: 'SlowDown' };
const limits = { connectMs: 1000, idleMs: 500, requestMs: 2000, completeMs: 2000, cleanupMs: 8000 };

describe('An S3 upload', () => {
  let server: S3Server;
  let proxy: HttpProxy;
  let bucket: string;
  const opened: ObjectStore[] = [];

  beforeAll(async () => {
    server = await startS3Server();
  });

  afterAll(() => server[Symbol.asyncDispose]());

  beforeEach(async () => {
    bucket = await server.makeBucket();
    proxy = await startHttpProxy(server.endpoint);
  });

  afterEach(async () => {
    for (const store of opened.splice(0)) await store[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  });

  const open = (options: Partial<S3StoreOptions> = {}): ObjectStore => {
    const store = openS3Store({ ...server, endpoint: proxy.url }, bucket, { limits, retry: quickRetry, ...options });
    opened.push(store);
    return store;
  };

  const part = (number: number) => (request: SeenRequest) =>
    request.operation === 'UploadPart' && request.url.searchParams.get('partNumber') === String(number);

  const expectNothingLeft = async () => {
    expect(await server.openUploads(bucket)).toEqual([]);
    expect(await server.objectNames(bucket)).toEqual([]);
  };

  // field: F108
  it('sends parts of the configured size', async () => {
    const size = 6 * 1024 ** 2;
    await uploadWhole(open({ partSizeBytes: size }), 'k', randomBytes(2 * size + 5));
    const sizes = proxy.requests.filter((seen) => seen.operation === 'UploadPart').map((seen) => seen.bodyBytes);
    expect(sizes.toSorted((left, right) => right - left)).toEqual([size, size, 5]);
  });

  it('has no more parts on the wire than it may', async () => {
    const released = Promise.withResolvers<void>();
    proxy.break('UploadPart', { kind: 'hold', until: released.promise });
    const store = open({ concurrency: 2, limits: { ...limits, idleMs: 20_000, requestMs: 20_000 } });
    await using upload = await store.startUpload('k', { maxBytes: 5 * partSizeBytes }, go);
    const both = [proxy.arrival(part(1)), proxy.arrival(part(2))];
    const writing = upload.write(randomBytes(5 * partSizeBytes));
    await Promise.all(both);
    expect(proxy.count('UploadPart')).toBe(2);
    released.resolve();
    await writing;
    await upload.complete();
    expect(proxy.count('UploadPart')).toBe(5);
  });

  // field: F109
  it('sends the same bytes again when the store asks to slow down', async () => {
    const small = randomBytes(1000);
    const large = randomBytes(2 * partSizeBytes + 7);
    proxy.break('PutObject', throttled, 2);
    proxy.break('CreateMultipartUpload', throttled, 2);
    proxy.break(part(2), throttled, 2);
    proxy.break('CompleteMultipartUpload', throttled, 2);
    const store = open();
    await uploadWhole(store, 'small', small);
    await uploadWhole(store, 'large', large);
    expect((await server.readObject(bucket, 'small')).equals(small)).toBe(true);
    expect((await server.readObject(bucket, 'large')).equals(large)).toBe(true);
    expect(await server.openUploads(bucket)).toEqual([]);
  });

  // field: F113
  it('sends a part whole again after its connection was reset in the middle', async () => {
    const body = randomBytes(2 * partSizeBytes + 7);
    proxy.break(part(2), { kind: 'reset-request', afterBytes: partSizeBytes / 2 }, 2);
    await uploadWhole(open(), 'k', body);
    const attempts = proxy.requests.filter(part(2));
    expect(attempts.map((seen) => Number(seen.headers['content-length']))).toEqual(Array(3).fill(partSizeBytes));
    expect(attempts.at(-1)?.bodyBytes).toBe(partSizeBytes);
    expect((await server.readObject(bucket, 'k')).equals(body)).toBe(true);
  });

  // field: F111
  it('does not take status 200 on completion for success', async () => {
    const answers = [
      errorDocument('InternalError'),
      '',
      '<?xml version="1.0"?><CompleteMultipartUploadRes',
      '<CompleteMultipartUploadResult></CompleteMultipartUploadResult>',
    ];
    for (const body of answers) {
      proxy.break('CompleteMultipartUpload', { kind: 'answer', status: 200, body });
      await expect(uploadWhole(open(), 'k', randomBytes(partSizeBytes + 1))).rejects.toMatchObject({
        code: 'store-failed',
      });
      await expectNothingLeft();
      proxy.heal();
    }
  });

  // field: F111
  it('completes again when the first answer was 200 with an error inside', async () => {
    proxy.break('CompleteMultipartUpload', { kind: 'answer', status: 200, body: errorDocument('InternalError') }, 1);
    await uploadWhole(open(), 'k', randomBytes(partSizeBytes + 1));
    expect(await server.objectNames(bucket)).toEqual(['k']);
    expect(proxy.count('CompleteMultipartUpload')).toBe(2);
    expect(proxy.count('CreateMultipartUpload')).toBe(1);
  });

  it.each(['PutObject', 'CompleteMultipartUpload'])(
    'knows its own object when the answer to %s was lost',
    async (operation) => {
      const body = randomBytes(operation === 'PutObject' ? 10 : partSizeBytes + 1);
      proxy.break(operation, { kind: 'lose-answer' }, 1);
      await uploadWhole(open(), 'k', body);
      expect((await server.readObject(bucket, 'k')).equals(body)).toBe(true);
      expect(await server.openUploads(bucket)).toEqual([]);
    },
  );

  it('does not take a stranger for its own when its answer was lost', async () => {
    await uploadWhole(openS3StoreDirectly(), 'k', Buffer.from('stranger'));
    proxy.break('PutObject', { kind: 'swallow' }, 1);
    await expect(uploadWhole(open(), 'k', Buffer.from('stranger'))).rejects.toMatchObject({
      code: 'store-object-exists',
    });
    expect((await server.readObject(bucket, 'k')).toString()).toBe('stranger');
  });

  // field: F105
  it.each<[string, HttpFault]>([
    ['CreateMultipartUpload', { kind: 'error', status: 403, code: 'AccessDenied' }],
    ['CreateMultipartUpload', { kind: 'lose-answer' }],
    ['UploadPart', { kind: 'error', status: 403, code: 'AccessDenied' }],
    ['UploadPart', { kind: 'lose-answer' }],
    ['CompleteMultipartUpload', { kind: 'error', status: 500, code: 'InternalError' }],
    ['CompleteMultipartUpload', { kind: 'lose-answer' }],
  ])('that fails for good at %s (%o) leaves nothing, and a foreign upload stays', async (operation, fault) => {
    const direct = openS3StoreDirectly();
    await using foreign = await direct.startUpload('k-foreign', { maxBytes: 2 * partSizeBytes }, go);
    await foreign.write(randomBytes(2 * partSizeBytes));
    proxy.break(operation, fault);
    // Looking for the object afterwards takes a third try.
    proxy.break('HeadObject', throttled, operation === 'CompleteMultipartUpload' ? 2 : 0);
    await expect(uploadWhole(open(), 'k', randomBytes(3 * partSizeBytes))).rejects.toThrow('k');
    expect(await server.objectNames(bucket)).toEqual([]);
    expect(await server.openUploads(bucket)).toEqual(['k-foreign']);
    await foreign.complete();
  });

  // field: F105
  it('tries again to abort, and tells what it could not clear away', async () => {
    proxy.break(part(1), { kind: 'error', status: 403, code: 'AccessDenied' });
    proxy.break('AbortMultipartUpload', throttled, 2);
    await expect(uploadWhole(open(), 'k', randomBytes(2 * partSizeBytes))).rejects.toMatchObject({
      code: 'store-access-denied',
    });
    await expectNothingLeft();

    const leftovers: WardenError[] = [];
    proxy.break('AbortMultipartUpload', { kind: 'error', status: 403, code: 'AccessDenied' });
    const store = open({ onLeftover: (error) => leftovers.push(error) });
    await expect(uploadWhole(store, 'k', randomBytes(2 * partSizeBytes))).rejects.toMatchObject({
      code: 'store-access-denied',
    });
    const told = new RegExp(`s3://${bucket}/k may have left parts, which .* or a lifecycle rule with AbortIncomplete`);
    expect(leftovers.map((error) => error.message)).toEqual([expect.stringMatching(told)]);
  });

  // field: F106
  it('that was small and is aborted while it is sent does not land', async () => {
    const released = Promise.withResolvers<void>();
    proxy.break('PutObject', { kind: 'hold', until: released.promise });
    const stop = new AbortController();
    const arrived = proxy.arrival('PutObject');
    const uploading = uploadWhole(open(), 'k', randomBytes(1024 ** 2), stop.signal);
    await arrived;
    const looked = proxy.arrival('HeadObject');
    stop.abort();
    // The store carries the request out after the first look found nothing.
    await looked;
    released.resolve();
    await expect(uploading).rejects.toMatchObject({ code: 'interrupted' });
    expect(proxy.count('DeleteObject')).toBe(1);
    await expectNothingLeft();
  });

  // field: F106
  it('of a small object by create does not land after an abort either', async () => {
    const released = Promise.withResolvers<void>();
    proxy.break('PutObject', { kind: 'hold', until: released.promise });
    const stop = new AbortController();
    const arrived = proxy.arrival('PutObject');
    const creating = open().create('k', randomBytes(10), stop.signal);
    await arrived;
    const looked = proxy.arrival('HeadObject');
    stop.abort();
    await looked;
    released.resolve();
    await expect(creating).rejects.toMatchObject({ code: 'interrupted' });
    await expectNothingLeft();
  });

  // field: F115
  it.each(['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload', 'PutObject'])(
    'goes on when a %s is never answered',
    async (operation) => {
      const body = randomBytes(operation === 'PutObject' ? 10 : partSizeBytes + 1);
      proxy.break(operation, { kind: 'swallow' }, 1);
      const store = open();
      await uploadWhole(store, 'k', body);
      expect((await server.readObject(bucket, 'k')).equals(body)).toBe(true);
      await uploadWhole(store, 'next', body);
    },
  );

  // field: F118
  it('says which option helps when a store refuses checksum headers', async () => {
    const hasChecksum = (seen: SeenRequest) =>
      Object.keys(seen.headers).some((name) => /x-amz-(checksum|trailer|sdk)/.test(name));
    proxy.break(hasChecksum, { kind: 'error', status: 501, code: 'NotImplemented' });
    const large = randomBytes(partSizeBytes + 1);
    await expect(open().create('k', Buffer.from('x'), go)).rejects.toMatchObject({
      code: 'store-checksum-refused',
      hint: expect.stringContaining('when-required') as unknown,
    });
    await expect(uploadWhole(open(), 'k', large)).rejects.toMatchObject({ code: 'store-checksum-refused' });
    const modest = open({ checksums: 'when-required' });
    await modest.create('small', Buffer.from('x'), go);
    await uploadWhole(modest, 'large', large);
    expect((await server.readObject(bucket, 'large')).equals(large)).toBe(true);
  });

  // field: F118
  it('carries Content-MD5 where the store refuses checksum headers', async () => {
    const small = Buffer.from('x');
    const large = randomBytes(partSizeBytes + 1);
    const store = open({ checksums: 'when-required' });
    await store.create('small', small, go);
    await uploadWhole(store, 'one-part', small);
    await uploadWhole(store, 'large', large);
    // Without duplicates and order: parts are sent as they come.
    const isBody = (seen: SeenRequest) => seen.operation === 'PutObject' || seen.operation === 'UploadPart';
    const sent = proxy.requests.filter(isBody).map((seen) => String(seen.headers['content-md5']));
    const bodies = [small, small, large.subarray(0, partSizeBytes), large.subarray(partSizeBytes)];
    expect(new Set(sent)).toEqual(new Set(bodies.map(md5)));
  });

  it('knows the manifest it stored when the answer was lost', async () => {
    proxy.break('PutObject', { kind: 'lose-answer' }, 1);
    const store = withRetries(open(), quickRetry);
    await store.create('manifest', Buffer.from('ours'), go);
    await expect(store.create('manifest', Buffer.from('ours'), go)).rejects.toMatchObject({
      code: 'store-object-exists',
    });
    proxy.break('PutObject', { kind: 'swallow' }, 1);
    await expect(store.create('manifest', Buffer.from('other'), go)).rejects.toMatchObject({
      code: 'store-object-exists',
    });
  });

  function md5(body: Uint8Array): string {
    return createHash('md5').update(body).digest('base64');
  }

  function openS3StoreDirectly(): ObjectStore {
    const store = openS3Store(server, bucket);
    opened.push(store);
    return store;
  }
});
