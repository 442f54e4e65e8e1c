import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { withRetries } from '../../../src/adapters/store-layers/with-retries.ts';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { bytesOf, keysOf, uploadWhole } from '../../conformance/object-store.ts';
import { useProxiedBucket } from '../../support/proxied-bucket.ts';
import { quickRetry } from '../../support/s3.ts';

const go = new AbortController().signal;
const limits = { connectMs: 1000, idleMs: 500, requestMs: 2000, completeMs: 2000, cleanupMs: 8000 };

describe('An S3 store', () => {
  const site = useProxiedBucket({ limits });
  let store: ObjectStore;

  beforeEach(() => {
    store = site.open();
  });

  // field: F116
  it('gives its connections back when bodies are left half-way', async () => {
    await uploadWhole(store, 'big', randomBytes(8 * 1024 ** 2));
    for (let round = 0; round < 20; round += 1) {
      await using body = await store.read('big', {}, go);
      const first = await body[Symbol.asyncIterator]().next();
      expect(first.done).toBe(false);
    }
    for (let round = 0; round < 50; round += 1) await store.stat('big', go);
    expect(site.proxy.openConnections()).toBeLessThanOrEqual(5);
    await uploadWhole(store, 'again', randomBytes(8 * 1024 ** 2));
  });

  it('resumes a body that breaks off', async () => {
    const bytes = randomBytes(6 * 1024 ** 2);
    await uploadWhole(store, 'big', bytes);
    site.proxy.break('GetObject', { kind: 'cut-answer', afterBytes: 2 * 1024 ** 2 }, 2);
    expect((await bytesOf(withRetries(store, quickRetry), 'big')).equals(bytes)).toBe(true);
    expect(site.proxy.count('GetObject')).toBe(3);
  });

  it('never takes a body that breaks off for a whole one', async () => {
    await uploadWhole(store, 'big', randomBytes(4 * 1024 ** 2));
    site.proxy.break('GetObject', { kind: 'cut-answer', afterBytes: 1024 ** 2 });
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
    site.proxy.break('GetObject', { kind: 'stall-answer', afterBytes: 500 }, 1);
    await expect(bytesOf(store, 'k')).rejects.toMatchObject({ code: 'store-timeout' });
    expect(await bytesOf(store, 'k')).toHaveLength(1000);
  });

  // field: F115
  it.each([
    ['HeadObject', () => store.stat('k', go)],
    ['ListObjectsV2', () => keysOf(store, '')],
    ['PutObject', () => store.create('k', Buffer.from('x'), go)],
  ] as const)('gives up on a %s that is never answered', async (operation, call) => {
    site.proxy.break(operation, { kind: 'swallow' }, 1);
    await expect(call()).rejects.toMatchObject({ code: 'store-timeout', retryable: true });
    await call();
  });

  // field: F128
  it('needs no call but those that every store has', async () => {
    const plain = /^(PutObject|GetObject|HeadObject|DeleteObject|ListObjectsV2|.*Multipart.*|UploadPart|ListParts)$/;
    site.proxy.break((seen) => !plain.test(seen.operation) || seen.url.searchParams.has('attributes'), {
      kind: 'error',
      status: 501,
      code: 'NotImplemented',
    });
    await uploadWhole(store, 'k', randomBytes(6 * 1024 ** 2));
    expect(await bytesOf(store, 'k')).toHaveLength(6 * 1024 ** 2);
    expect(await keysOf(store, '')).toEqual(['k']);
    expect(await store.removeAll(['k'], go)).toEqual([{ kind: 'removed', isKeptAsVersion: false }]);
  });

  // field: F144
  it('says once that an object lies in an archive, and how to get it out', async () => {
    const archived =
      "<Error><Code>InvalidObjectState</Code><Message>The operation is not valid for the object's storage class</Message>" +
      '<StorageClass>GLACIER</StorageClass></Error>';
    await store.create('old', Buffer.from('x'), go);
    site.proxy.break('GetObject', { kind: 'answer', status: 403, body: archived });
    site.proxy.break('HeadObject', {
      kind: 'error',
      status: 200,
      code: '',
      headers: { 'x-amz-storage-class': 'GLACIER' },
    });
    await expect(withRetries(store, quickRetry).read('old', {}, go)).rejects.toMatchObject({
      code: 'store-object-archived',
      message: expect.stringContaining('GLACIER') as unknown,
      hint: expect.stringContaining(`aws s3api restore-object --bucket ${site.bucket} --key 'old'`) as unknown,
    });
    expect(site.proxy.count('GetObject')).toBe(1);
    expect(await store.stat('old', go)).toMatchObject({ storageClass: 'GLACIER' });
  });

  // field: F120
  it.each([
    [301, 'PermanentRedirect'],
    [400, 'AuthorizationHeaderMalformed'],
  ])('names the right region when it gets %i %s', async (status, code) => {
    site.proxy.break(() => true, { kind: 'error', status, code, headers: { 'x-amz-bucket-region': 'eu-west-1' } });
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
    site.proxy.break(() => true, { kind: 'error', status: 403, code: 'RequestTimeTooSkewed', headers: { date } });
    await expect(keysOf(store, '')).rejects.toMatchObject({
      code: 'store-clock-skew',
      message: expect.stringMatching(/1(199|200|201) s/) as unknown,
    });
  });
});
