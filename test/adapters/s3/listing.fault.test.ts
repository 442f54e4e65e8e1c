import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withRetries } from '../../../src/adapters/store-layers/with-retries.ts';
import type { WardenError } from '../../../src/errors/warden-error.ts';
import type { ObjectInfo, ObjectStore } from '../../../src/ports/object-store.ts';
import { keysOf } from '../../conformance/object-store.ts';
import { startHttpProxy, type HttpFault, type HttpProxy, type SeenRequest } from '../../support/http-proxy.ts';
import { openS3Store, quickRetry, startS3Server, type S3Server } from '../../support/s3.ts';

const go = new AbortController().signal;
const ofPage = (token: string) => (seen: SeenRequest) => seen.url.searchParams.get('continuation-token') === token;
const laterPage = (seen: SeenRequest) => seen.url.searchParams.has('continuation-token');

const entry = (key: string, more = '') =>
  `<Contents><Key>${key}</Key><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified>${more}</Contents>`;
const listing = (...elements: string[]) => `<ListBucketResult>${elements.join('')}</ListBucketResult>`;
const page = (...elements: string[]): HttpFault => ({ kind: 'answer', status: 200, body: listing(...elements) });
/** The page says that another one follows, under this token. */
const before = (token: string) =>
  `<IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken>`;
const theEnd = '<IsTruncated>false</IsTruncated>';

describe('A listing of S3', () => {
  let server: S3Server;
  let proxy: HttpProxy;
  let bucket: string;
  let store: ObjectStore;
  const keys = Array.from({ length: 2300 }, (_, index) => `k${String(index).padStart(5, '0')}`);

  beforeAll(async () => {
    server = await startS3Server();
    proxy = await startHttpProxy(server.endpoint);
    bucket = await server.makeBucket();
    store = openS3Store({ ...server, endpoint: proxy.url }, bucket);
    for (let at = 0; at < keys.length; at += 50) {
      const puts = keys.slice(at, at + 50).map((Key) => new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }));
      await Promise.all(puts.map((put) => server.client.send(put)));
    }
  });

  afterAll(async () => {
    await store[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  beforeEach(() => proxy.heal());

  /** What came before the listing ended, or failed with this code. */
  const listed = async (): Promise<{ keys: string[]; code: string | undefined; message?: string }> => {
    const found: string[] = [];
    try {
      for await (const { key } of store.list('', go)) found.push(key);
      return { keys: found, code: undefined };
    } catch (error) {
      const { code, message } = error as WardenError;
      return { keys: found, code, message };
    }
  };

  // field: F089
  it('goes on to the last page, also when one fails once', async () => {
    expect(await keysOf(store, '')).toEqual(keys);
    proxy.break(laterPage, { kind: 'error', status: 500, code: 'InternalError' }, 1);
    expect(await keysOf(withRetries(store, quickRetry), '')).toEqual(keys);
  });

  // field: F089
  it('fails where its second page always does, and is never short', async () => {
    proxy.break(laterPage, { kind: 'error', status: 500, code: 'InternalError' });
    expect(await listed()).toMatchObject({ keys: keys.slice(0, 1000), code: 'store-failed' });
    await expect(keysOf(withRetries(store, quickRetry), '')).rejects.toMatchObject({ code: 'store-failed' });
  });

  // field: F089
  it('follows a page without entries', async () => {
    proxy.break(ofPage('two'), page(before('three')));
    proxy.break(ofPage('three'), page(entry('b'), theEnd));
    proxy.break('ListObjectsV2', page(entry('a'), before('two')));
    expect(await listed()).toEqual({ keys: ['a', 'b'], code: undefined });
  });

  it('does not follow pages without entries for ever', async () => {
    const started = proxy.count('ListObjectsV2');
    // Never the same place twice.
    const endless = () => listing(before(`t${proxy.count('ListObjectsV2')}`));
    proxy.break('ListObjectsV2', { kind: 'rewrite', body: endless });
    expect(await listed()).toMatchObject({ keys: [], code: 'store-failed' });
    expect(proxy.count('ListObjectsV2') - started).toBe(1001);
  });

  // field: F089
  it.each([
    ['is cut short without saying how to go on', ['<IsTruncated>true</IsTruncated>']],
    ['names the same continuation again', [before('same')]],
    ['says how to go on, but not that it is cut short', [theEnd, '<NextContinuationToken>t</NextContinuationToken>']],
    ['says how to go on, but not whether it is cut short', ['<NextContinuationToken>t</NextContinuationToken>']],
    ['is full and does not say whether it goes on', keys.slice(0, 1000).map((key) => entry(key))],
    ['is as full as it may be and does not say whether it goes on', ['<MaxKeys>2</MaxKeys>', entry('a'), entry('b')]],
  ])('that %s is refused', async (_, elements) => {
    proxy.break('ListObjectsV2', page(...elements));
    expect((await listed()).code).toBe('store-failed');
  });

  // field: F089
  it('that leads round in a large circle is refused, with entries and without', async () => {
    for (const at of [1, 2, 3, 4, 5, 6]) proxy.break(ofPage(`t${at}`), page(before(at === 6 ? 't2' : `t${at + 1}`)));
    proxy.break('ListObjectsV2', page(before('t1')));
    expect(await listed()).toMatchObject({ message: expect.stringContaining('round in a circle') as unknown });
    proxy.heal();
    for (const at of [1, 2, 3])
      proxy.break(ofPage(`t${at}`), page(entry(`${at}`), before(at === 3 ? 't1' : `t${at + 1}`)));
    proxy.break('ListObjectsV2', page(entry('0'), before('t1')));
    const { keys: found, code } = await listed();
    expect(found).toEqual(['0', '1', '2', '3']);
    expect(code).toBe('store-refused');
  });

  it('of one page needs no word about its end', async () => {
    proxy.break('ListObjectsV2', page(entry('a'), entry('b')));
    expect(await listed()).toEqual({ keys: ['a', 'b'], code: undefined });
  });

  it('that is out of order is refused', async () => {
    proxy.break('ListObjectsV2', page(entry('b'), entry('a'), theEnd));
    await expect(keysOf(store, '')).rejects.toMatchObject({
      code: 'store-refused',
      retryable: false,
      message: expect.stringContaining('a comes after b') as unknown,
      hint: expect.stringContaining('S3 Express') as unknown,
    });
  });

  it('has names that the store encodes', async () => {
    proxy.break('ListObjectsV2', page('<EncodingType>url</EncodingType>', entry('a+b%2Bc%0A'), theEnd));
    expect(await keysOf(store, '')).toEqual(['a b+c\n']);
  });

  // field: F144
  it('tells the storage class of what is not stored in the ordinary one', async () => {
    const stored = (storageClass: string) => `<StorageClass>${storageClass}</StorageClass>`;
    proxy.break(
      'ListObjectsV2',
      page(entry('a', stored('STANDARD')), entry('b', stored('DEEP_ARCHIVE')), entry('c'), theEnd),
    );
    const entries: ObjectInfo[] = await Array.fromAsync(store.list('', go));
    expect(entries.map(({ storageClass }) => storageClass)).toEqual([undefined, 'DEEP_ARCHIVE', undefined]);
  });
});
