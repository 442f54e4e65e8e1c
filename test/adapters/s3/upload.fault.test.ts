import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { withRetries } from '../../../src/adapters/store-layers/with-retries.ts';
import type { WardenError } from '../../../src/errors/warden-error.ts';
import { uploadWhole } from '../../conformance/object-store.ts';
import { errorDocument, type HttpFault, type SeenRequest } from '../../support/http-proxy.ts';
import { useProxiedBucket } from '../../support/proxied-bucket.ts';
import { quickRetry } from '../../support/s3.ts';

const partSizeBytes = 5 * 1024 ** 2;
const go = new AbortController().signal;
const throttled: HttpFault = { kind: 'error', status: 503, code: 'SlowDown' };
const limits = { connectMs: 1000, idleMs: 500, requestMs: 2000, completeMs: 2000, cleanupMs: 8000 };

describe('An S3 upload', () => {
  const site = useProxiedBucket({ limits, retry: quickRetry });

  const part = (number: number) => (request: SeenRequest) =>
    request.operation === 'UploadPart' && request.url.searchParams.get('partNumber') === String(number);

  const expectNothingLeft = async () => {
    expect(await site.server.openUploads(site.bucket)).toEqual([]);
    expect(await site.server.objectNames(site.bucket)).toEqual([]);
  };

  // field: F108
  it('sends parts of the configured size', async () => {
    const size = 6 * 1024 ** 2;
    await uploadWhole(site.open({ partSizeBytes: size }), 'k', randomBytes(2 * size + 5));
    const sizes = site.proxy.requests.filter((seen) => seen.operation === 'UploadPart').map((seen) => seen.bodyBytes);
    expect(sizes.toSorted((left, right) => right - left)).toEqual([size, size, 5]);
  });

  it('has no more parts on the wire than it may', async () => {
    const released = Promise.withResolvers<void>();
    site.proxy.break('UploadPart', { kind: 'hold', until: released.promise });
    const store = site.open({ concurrency: 2, limits: { ...limits, idleMs: 20_000, requestMs: 20_000 } });
    await using upload = await store.startUpload('k', { maxBytes: 5 * partSizeBytes }, go);
    const both = [site.proxy.arrival(part(1)), site.proxy.arrival(part(2))];
    const writing = upload.write(randomBytes(5 * partSizeBytes));
    await Promise.all(both);
    expect(site.proxy.count('UploadPart')).toBe(2);
    released.resolve();
    await writing;
    await upload.complete();
    expect(site.proxy.count('UploadPart')).toBe(5);
  });

  // field: F109
  it('sends the same bytes again when the store asks to slow down', async () => {
    const small = randomBytes(1000);
    const large = randomBytes(2 * partSizeBytes + 7);
    site.proxy.break('PutObject', throttled, 2);
    site.proxy.break('CreateMultipartUpload', throttled, 2);
    site.proxy.break(part(2), throttled, 2);
    site.proxy.break('CompleteMultipartUpload', throttled, 2);
    const store = site.open();
    await uploadWhole(store, 'small', small);
    await uploadWhole(store, 'large', large);
    expect((await site.server.readObject(site.bucket, 'small')).equals(small)).toBe(true);
    expect((await site.server.readObject(site.bucket, 'large')).equals(large)).toBe(true);
    expect(await site.server.openUploads(site.bucket)).toEqual([]);
  });

  // field: F113
  it('sends a part whole again after its connection was reset in the middle', async () => {
    const body = randomBytes(2 * partSizeBytes + 7);
    site.proxy.break(part(2), { kind: 'reset-request', afterBytes: partSizeBytes / 2 }, 2);
    await uploadWhole(site.open(), 'k', body);
    const attempts = site.proxy.requests.filter(part(2));
    expect(attempts.map((seen) => Number(seen.headers['content-length']))).toEqual(Array(3).fill(partSizeBytes));
    expect(attempts.at(-1)?.bodyBytes).toBe(partSizeBytes);
    expect((await site.server.readObject(site.bucket, 'k')).equals(body)).toBe(true);
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
      site.proxy.break('CompleteMultipartUpload', { kind: 'answer', status: 200, body });
      await expect(uploadWhole(site.open(), 'k', randomBytes(partSizeBytes + 1))).rejects.toMatchObject({
        code: 'store-failed',
      });
      await expectNothingLeft();
      site.proxy.heal();
    }
  });

  // field: F111
  it('completes again when the first answer was 200 with an error inside', async () => {
    site.proxy.break(
      'CompleteMultipartUpload',
      { kind: 'answer', status: 200, body: errorDocument('InternalError') },
      1,
    );
    await uploadWhole(site.open(), 'k', randomBytes(partSizeBytes + 1));
    expect(await site.server.objectNames(site.bucket)).toEqual(['k']);
    expect(site.proxy.count('CompleteMultipartUpload')).toBe(2);
    expect(site.proxy.count('CreateMultipartUpload')).toBe(1);
  });

  it.each(['PutObject', 'CompleteMultipartUpload'])(
    'knows its own object when the answer to %s was lost',
    async (operation) => {
      const body = randomBytes(operation === 'PutObject' ? 10 : partSizeBytes + 1);
      site.proxy.break(operation, { kind: 'lose-answer' }, 1);
      await uploadWhole(site.open(), 'k', body);
      expect((await site.server.readObject(site.bucket, 'k')).equals(body)).toBe(true);
      expect(await site.server.openUploads(site.bucket)).toEqual([]);
    },
  );

  it('does not take a stranger for its own when its answer was lost', async () => {
    await uploadWhole(site.open({ endpoint: site.server.endpoint }), 'k', Buffer.from('stranger'));
    site.proxy.break('PutObject', { kind: 'swallow' }, 1);
    await expect(uploadWhole(site.open(), 'k', Buffer.from('stranger'))).rejects.toMatchObject({
      code: 'store-object-exists',
    });
    expect((await site.server.readObject(site.bucket, 'k')).toString()).toBe('stranger');
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
    const direct = site.open({ endpoint: site.server.endpoint });
    await using foreign = await direct.startUpload('k-foreign', { maxBytes: 2 * partSizeBytes }, go);
    await foreign.write(randomBytes(2 * partSizeBytes));
    site.proxy.break(operation, fault);
    // Looking for the object afterwards takes a third try.
    site.proxy.break('HeadObject', throttled, operation === 'CompleteMultipartUpload' ? 2 : 0);
    await expect(uploadWhole(site.open(), 'k', randomBytes(3 * partSizeBytes))).rejects.toThrow('k');
    expect(await site.server.objectNames(site.bucket)).toEqual([]);
    expect(await site.server.openUploads(site.bucket)).toEqual(['k-foreign']);
    await foreign.complete();
  });

  // field: F105
  it('tries again to abort, and tells what it could not clear away', async () => {
    site.proxy.break(part(1), { kind: 'error', status: 403, code: 'AccessDenied' });
    site.proxy.break('AbortMultipartUpload', throttled, 2);
    await expect(uploadWhole(site.open(), 'k', randomBytes(2 * partSizeBytes))).rejects.toMatchObject({
      code: 'store-access-denied',
    });
    await expectNothingLeft();

    const leftovers: WardenError[] = [];
    site.proxy.break('AbortMultipartUpload', { kind: 'error', status: 403, code: 'AccessDenied' });
    const store = site.open({ onLeftover: (error) => leftovers.push(error) });
    await expect(uploadWhole(store, 'k', randomBytes(2 * partSizeBytes))).rejects.toMatchObject({
      code: 'store-access-denied',
    });
    const told = new RegExp(
      `s3://${site.bucket}/k may have left parts, which .* or a lifecycle rule with AbortIncomplete`,
    );
    expect(leftovers.map((error) => error.message)).toEqual([expect.stringMatching(told)]);
  });

  // field: F106
  it('that was small and is aborted while it is sent does not land', async () => {
    const released = Promise.withResolvers<void>();
    site.proxy.break('PutObject', { kind: 'hold', until: released.promise });
    const stop = new AbortController();
    const arrived = site.proxy.arrival('PutObject');
    const uploading = uploadWhole(site.open(), 'k', randomBytes(1024 ** 2), stop.signal);
    await arrived;
    const looked = site.proxy.arrival('HeadObject');
    stop.abort();
    // The store carries the request out after the first look found nothing.
    await looked;
    released.resolve();
    await expect(uploading).rejects.toMatchObject({ code: 'interrupted' });
    expect(site.proxy.count('DeleteObject')).toBe(1);
    await expectNothingLeft();
  });

  // field: F106
  it('of a small object by create does not land after an abort either', async () => {
    const released = Promise.withResolvers<void>();
    site.proxy.break('PutObject', { kind: 'hold', until: released.promise });
    const stop = new AbortController();
    const arrived = site.proxy.arrival('PutObject');
    const creating = site.open().create('k', randomBytes(10), stop.signal);
    await arrived;
    const looked = site.proxy.arrival('HeadObject');
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
      site.proxy.break(operation, { kind: 'swallow' }, 1);
      const store = site.open();
      await uploadWhole(store, 'k', body);
      expect((await site.server.readObject(site.bucket, 'k')).equals(body)).toBe(true);
      await uploadWhole(store, 'next', body);
    },
  );

  // field: F118
  it('says which option helps when a store refuses checksum headers', async () => {
    const hasChecksum = (seen: SeenRequest) =>
      Object.keys(seen.headers).some((name) => /x-amz-(checksum|trailer|sdk)/.test(name));
    site.proxy.break(hasChecksum, { kind: 'error', status: 501, code: 'NotImplemented' });
    const large = randomBytes(partSizeBytes + 1);
    await expect(site.open().create('k', Buffer.from('x'), go)).rejects.toMatchObject({
      code: 'store-checksum-refused',
      hint: expect.stringContaining('when-required') as unknown,
    });
    await expect(uploadWhole(site.open(), 'k', large)).rejects.toMatchObject({ code: 'store-checksum-refused' });
    const modest = site.open({ checksums: 'when-required' });
    await modest.create('small', Buffer.from('x'), go);
    await uploadWhole(modest, 'large', large);
    expect((await site.server.readObject(site.bucket, 'large')).equals(large)).toBe(true);
  });

  // field: F118
  it('carries Content-MD5 where the store refuses checksum headers', async () => {
    const small = Buffer.from('x');
    const large = randomBytes(partSizeBytes + 1);
    const store = site.open({ checksums: 'when-required' });
    await store.create('small', small, go);
    await uploadWhole(store, 'one-part', small);
    await uploadWhole(store, 'large', large);
    // Without duplicates and order: parts are sent as they come.
    const isBody = (seen: SeenRequest) => seen.operation === 'PutObject' || seen.operation === 'UploadPart';
    const sent = site.proxy.requests.filter(isBody).map((seen) => String(seen.headers['content-md5']));
    const bodies = [small, small, large.subarray(0, partSizeBytes), large.subarray(partSizeBytes)];
    expect(new Set(sent)).toEqual(new Set(bodies.map(md5)));
  });

  it('knows the manifest it stored when the answer was lost', async () => {
    site.proxy.break('PutObject', { kind: 'lose-answer' }, 1);
    const store = withRetries(site.open(), quickRetry);
    await store.create('manifest', Buffer.from('ours'), go);
    await expect(store.create('manifest', Buffer.from('ours'), go)).rejects.toMatchObject({
      code: 'store-object-exists',
    });
    site.proxy.break('PutObject', { kind: 'swallow' }, 1);
    await expect(store.create('manifest', Buffer.from('other'), go)).rejects.toMatchObject({
      code: 'store-object-exists',
    });
  });

  function md5(body: Uint8Array): string {
    return createHash('md5').update(body).digest('base64');
  }
});
