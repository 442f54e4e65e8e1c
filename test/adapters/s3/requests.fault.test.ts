import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { S3StoreOptions } from '../../../src/adapters/s3/options.ts';
import { withRetries } from '../../../src/adapters/store-layers/with-retries.ts';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { bytesOf, keysOf, uploadWhole } from '../../conformance/object-store.ts';
import { startHttpProxy, type HttpProxy } from '../../support/http-proxy.ts';
import { openS3Store, quickRetry, startS3Server, type S3Server } from '../../support/s3.ts';

const go = new AbortController().signal;
const limits = { connectMs: 1000, idleMs: 500, requestMs: 2000, completeMs: 2000, cleanupMs: 8000 };

describe('An S3 store', () => {
  let server: S3Server;
  let proxy: HttpProxy;
  let bucket: string;
  let store: ObjectStore;
  const opened: ObjectStore[] = [];

  beforeAll(async () => {
    server = await startS3Server();
  });

  afterAll(() => server[Symbol.asyncDispose]());

  beforeEach(async () => {
    bucket = await server.makeBucket();
    proxy = await startHttpProxy(server.endpoint);
    store = open();
  });

  afterEach(async () => {
    for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  });

  const open = (options: Partial<S3StoreOptions> = {}): ObjectStore => {
    const made = openS3Store({ ...server, endpoint: proxy.url }, bucket, { limits, ...options });
    opened.push(made);
    return made;
  };

  // field: F116
  it('gives its connections back when bodies are left half-way', async () => {
    await uploadWhole(store, 'big', randomBytes(8 * 1024 ** 2));
    for (let round = 0; round < 20; round += 1) {
      await using body = await store.read('big', {}, go);
      const first = await body[Symbol.asyncIterator]().next();
      expect(first.done).toBe(false);
    }
    for (let round = 0; round < 50; round += 1) await store.stat('big', go);
    expect(proxy.openConnections()).toBeLessThanOrEqual(5);
    await uploadWhole(store, 'again', randomBytes(8 * 1024 ** 2));
  });

  it('resumes a body that breaks off', async () => {
    const bytes = randomBytes(6 * 1024 ** 2);
    await uploadWhole(store, 'big', bytes);
    proxy.break('GetObject', { kind: 'cut-answer', afterBytes: 2 * 1024 ** 2 }, 2);
    expect((await bytesOf(withRetries(store, quickRetry), 'big')).equals(bytes)).toBe(true);
    expect(proxy.count('GetObject')).toBe(3);
  });

  it('never takes a body that breaks off for a whole one', async () => {
    await uploadWhole(store, 'big', randomBytes(4 * 1024 ** 2));
    proxy.break('GetObject', { kind: 'cut-answer', afterBytes: 1024 ** 2 });
    await expect(bytesOf(store, 'big')).rejects.toMatchObject({ code: 'store-unreachable' });
    await expect(bytesOf(withRetries(store, quickRetry), 'big')).resolves.toHaveLength(4 * 1024 ** 2);
  });

  it('does not count the time in which nobody reads a body', async () => {
    const bytes = randomBytes(8 * 1024 ** 2);
    await uploadWhole(store, 'big', bytes);
    await using body = await store.read('big', {}, go);
    const blocks = body[Symbol.asyncIterator]();
    await blocks.next();
    // Longer than the idle limit: this waiting is what the test is about.
    await new Promise((resolve) => setTimeout(resolve, 2 * limits.idleMs));
    let count = 0;
    while ((await blocks.next()).done !== true) count += 1;
    expect(count).toBeGreaterThan(0);
  });

  it('gives up on a body that stops coming', async () => {
    await store.create('k', randomBytes(1000), go);
    proxy.break('GetObject', { kind: 'stall-answer', afterBytes: 500 }, 1);
    await expect(bytesOf(store, 'k')).rejects.toMatchObject({ code: 'store-timeout' });
    expect(await bytesOf(store, 'k')).toHaveLength(1000);
  });

  // field: F115
  it.each([
    ['HeadObject', () => store.stat('k', go)],
    ['ListObjectsV2', () => keysOf(store, '')],
    ['DeleteObject', () => store.remove('k', go)],
    ['PutObject', () => store.create('k', Buffer.from('x'), go)],
  ] as const)('gives up on a %s that is never answered', async (operation, call) => {
    proxy.break(operation, { kind: 'swallow' }, 1);
    await expect(call()).rejects.toMatchObject({ code: 'store-timeout', retryable: true });
    await call();
  });

  it('lists more than one page', async () => {
    const keys = Array.from({ length: 1005 }, (_, index) => `k${String(index).padStart(5, '0')}`);
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(keys.slice(at, at + 50).map((key) => store.create(key, Buffer.from('x'), go)));
    }
    expect(await keysOf(store, '')).toEqual(keys);
    expect(proxy.count('ListObjectsV2')).toBe(2);
    proxy.break(
      (seen) => seen.url.searchParams.has('continuation-token'),
      { kind: 'error', status: 500, code: 'InternalError' },
      1,
    );
    expect(await keysOf(withRetries(store, quickRetry), '')).toEqual(keys);
  });

  it.each([
    ['is cut short without saying how to go on', '<IsTruncated>true</IsTruncated>'],
    ['goes round in a circle', '<IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken>'],
  ])('refuses a listing that %s', async (_, elements) => {
    proxy.break('ListObjectsV2', {
      kind: 'answer',
      status: 200,
      body: `<ListBucketResult>${elements}</ListBucketResult>`,
    });
    await expect(keysOf(store, '')).rejects.toMatchObject({ code: 'store-failed' });
  });

  it('refuses a listing that is out of order', async () => {
    const entry = (key: string) =>
      `<Contents><Key>${key}</Key><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>`;
    const body = `<ListBucketResult>${entry('b')}${entry('a')}</ListBucketResult>`;
    proxy.break('ListObjectsV2', { kind: 'answer', status: 200, body });
    await expect(keysOf(store, '')).rejects.toMatchObject({
      code: 'store-refused',
      retryable: false,
      message: expect.stringContaining('a comes after b') as unknown,
      hint: expect.stringContaining('S3 Express') as unknown,
    });
  });

  it('reads names that the store encodes', async () => {
    const body =
      '<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a+b%2Bc%0A</Key><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents></ListBucketResult>';
    proxy.break('ListObjectsV2', { kind: 'answer', status: 200, body });
    expect(await keysOf(store, '')).toEqual(['a b+c\n']);
  });

  // field: F128
  it('needs no call but those that every store has', async () => {
    const plain = /^(PutObject|GetObject|HeadObject|DeleteObject|ListObjectsV2|.*Multipart.*|UploadPart|ListParts)$/;
    proxy.break((seen) => !plain.test(seen.operation) || seen.url.searchParams.has('attributes'), {
      kind: 'error',
      status: 501,
      code: 'NotImplemented',
    });
    await uploadWhole(store, 'k', randomBytes(6 * 1024 ** 2));
    expect(await bytesOf(store, 'k')).toHaveLength(6 * 1024 ** 2);
    expect(await keysOf(store, '')).toEqual(['k']);
    await store.remove('k', go);
  });

  // field: F120
  it.each([
    [301, 'PermanentRedirect'],
    [400, 'AuthorizationHeaderMalformed'],
  ])('names the right region when it gets %i %s', async (status, code) => {
    proxy.break(() => true, { kind: 'error', status, code, headers: { 'x-amz-bucket-region': 'eu-west-1' } });
    const calls = [() => store.stat('k', go), () => store.create('k', Buffer.from('x'), go), () => keysOf(store, '')];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({
        code: 'store-wrong-region',
        message: expect.stringContaining('eu-west-1') as unknown,
        hint: expect.stringContaining('eu-west-1') as unknown,
      });
    }
  });

  // field: F125
  it('says by how much the clocks differ', async () => {
    const date = new Date(Date.now() + 1_200_000).toUTCString();
    proxy.break(() => true, { kind: 'error', status: 403, code: 'RequestTimeTooSkewed', headers: { date } });
    await expect(keysOf(store, '')).rejects.toMatchObject({
      code: 'store-clock-skew',
      message: expect.stringMatching(/1(199|200|201) s/) as unknown,
    });
  });
});
