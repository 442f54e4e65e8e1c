import { PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import type { S3StoreOptions } from '../../../src/adapters/s3/options.ts';
import { withRetries } from '../../../src/adapters/store-layers/with-retries.ts';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { wardenError } from '../../support/errors.ts';
import { errorDocument, type SeenRequest } from '../../support/http-proxy.ts';
import { about, bulkAnswer, deleted, failure, refused } from '../../support/s3-answers.ts';
import { useProxiedBucket } from '../../support/proxied-bucket.ts';
import { quickRetry } from '../../support/s3.ts';

const go = new AbortController().signal;
/** Of a store that is not to be waited for. */
const impatient = { connectMs: 1000, idleMs: 400, requestMs: 600, completeMs: 2000, cleanupMs: 8000 };
const removed = { kind: 'removed', isKeptAsVersion: false };
const five = ['k1', 'k2', 'k3', 'k4', 'k5'];

describe('Removing objects from S3', () => {
  const site = useProxiedBucket();

  const openWithFive = async (options: Partial<S3StoreOptions> = {}): Promise<ObjectStore> => {
    const { server, bucket } = site;
    for (const Key of five) await server.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Key }));
    return site.open(options);
  };

  // field: F091
  it('believes the answer about each key, not status 200', async () => {
    site.proxy.break(
      'DeleteObjects',
      bulkAnswer(deleted('k1'), refused('k2'), refused('k3'), deleted('k4'), refused('k5')),
    );
    const store = await openWithFive();
    const lacks = { kind: 'failed', error: wardenError('store-access-denied', 'the role lacks s3:DeleteObject') };
    expect(await store.removeAll(five, go)).toEqual([removed, lacks, lacks, removed, lacks]);
  });

  it('takes a key of which the answer says nothing for one that is still there', async () => {
    site.proxy.break('DeleteObjects', bulkAnswer(deleted('k1'), deleted('stranger')));
    const store = await openWithFive();
    const [first, ...others] = await store.removeAll(five, go);
    expect(first).toEqual(removed);
    for (const other of others) {
      expect(other).toMatchObject({ kind: 'failed', error: { code: 'store-failed', retryable: true } });
    }
  });

  it.each(['', '<html>Welcome</html>', errorDocument('InternalError')])(
    'takes %j with status 200 for no success',
    async (body) => {
      site.proxy.break('DeleteObjects', { kind: 'answer', status: 200, body });
      const store = await openWithFive();
      for (const outcome of await store.removeAll(five, go)) {
        expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'store-failed' } });
      }
      expect(await site.server.objectNames(site.bucket)).toEqual(five);
    },
  );

  it('tells refusals of a key that may pass from those that do not, and what is gone from both', async () => {
    site.proxy.break(
      'DeleteObjects',
      bulkAnswer(
        refused('k1', 'InternalError'),
        refused('k2', 'SlowDown'),
        refused('k3', 'NoSuchKey'),
        refused('k4', 'InvalidArgument'),
      ),
    );
    const store = await openWithFive();
    const outcomes = await store.removeAll(five.slice(0, 4), go);
    expect(outcomes).toMatchObject([
      { kind: 'failed', error: { code: 'store-failed' } },
      { kind: 'failed', error: { code: 'store-throttled' } },
      removed,
      { kind: 'failed', error: { code: 'store-refused' } },
    ]);
  });

  it.each([
    ['is lost', { kind: 'lose-answer' }, 'store-unreachable'],
    ['never comes', { kind: 'swallow' }, 'store-timeout'],
    ['says that the server broke down', failure(500, 'InternalError'), 'store-failed'],
    ['asks to slow down', failure(503, 'SlowDown'), 'store-throttled'],
  ] as const)('whose answer %s failed for each key, and can be asked for again', async (_, fault, code) => {
    const store = await openWithFive(fault.kind === 'swallow' ? { limits: impatient } : {});
    site.proxy.break('DeleteObjects', fault, 1);
    for (const outcome of await store.removeAll(five, go)) {
      expect(outcome).toMatchObject({ kind: 'failed', error: { code, retryable: true } });
    }
    expect(await store.removeAll(five, go)).toEqual(five.map(() => removed));
    expect(await site.server.objectNames(site.bucket)).toEqual([]);
  });

  it('is done by retries in spite of all that', async () => {
    const store = withRetries(await openWithFive(), quickRetry);
    site.proxy.break('DeleteObjects', { kind: 'lose-answer' }, 1);
    site.proxy.break('DeleteObjects', failure(503, 'SlowDown'), 1);
    site.proxy.break('GetBucketVersioning', failure(500, 'InternalError'), 1);
    expect(await store.removeAll(five, go)).toEqual(five.map(() => removed));
    expect(await site.server.objectNames(site.bucket)).toEqual([]);
  });

  it.each([
    [501, 'NotImplemented'],
    [405, 'MethodNotAllowed'],
    [403, 'AccessDenied'],
    [400, 'InvalidRequest'],
  ])('goes key by key, and remembers it, where many at once get %i %s', async (status, code) => {
    const store = await openWithFive();
    site.proxy.break('DeleteObjects', failure(status, code));
    site.proxy.break(about('DeleteObject', 'k2'), failure(403, 'AccessDenied'));
    site.proxy.break(about('DeleteObject', 'k3'), { kind: 'lose-answer' });
    const outcomes = await store.removeAll([...five.slice(0, 3), 'never'], go);
    expect(outcomes).toMatchObject([
      removed,
      { kind: 'failed', error: { code: 'store-access-denied' } },
      { kind: 'failed', error: { code: 'store-unreachable' } },
      removed,
    ]);
    expect(await store.removeAll(['k4', 'k5'], go)).toEqual([removed, removed]);
    expect(site.proxy.count('DeleteObjects')).toBe(1);
    expect(await site.server.objectNames(site.bucket)).toEqual(['k2']);
  });

  // field: F140
  it.each([
    ['when-supported', 'x-amz-checksum-crc32c', 'content-md5'],
    ['when-required', 'content-md5', 'x-amz-checksum'],
  ] as const)('carries the checksum that the store wants, checksums %s', async (checksums, wanted, unwanted) => {
    const suits = ({ headers }: SeenRequest) =>
      headers[wanted] !== undefined && !Object.keys(headers).some((name) => name.startsWith(unwanted));
    const store = await openWithFive({ checksums });
    site.proxy.break((seen) => seen.operation === 'DeleteObjects' && !suits(seen), failure(400, 'InvalidRequest'));
    expect(await store.removeAll(five, go)).toEqual(five.map(() => removed));
    expect(site.proxy.count('DeleteObject')).toBe(0);
  });

  describe('of which it is not known whether it keeps versions', () => {
    it('fails, and asks again next time, where that may pass', async () => {
      const store = await openWithFive();
      site.proxy.break('GetBucketVersioning', failure(503, 'SlowDown'), 1);
      expect(await store.removeAll(['k1'], go)).toMatchObject([{ kind: 'failed', error: { code: 'store-throttled' } }]);
      expect(site.proxy.count('DeleteObjects')).toBe(0);
      expect(await store.removeAll(['k1'], go)).toEqual([removed]);
      expect(await store.removeAll(['k2'], go)).toEqual([removed]);
      expect(site.proxy.count('GetBucketVersioning')).toBe(2);
    });

    it.each([
      [403, 'AccessDenied'],
      [501, 'NotImplemented'],
    ])('takes it for a plain one after %i %s', async (status, code) => {
      const store = await openWithFive();
      site.proxy.break('GetBucketVersioning', failure(status, code));
      expect(await store.removeAll(['k1'], go)).toEqual([removed]);
      expect(await store.removeAll(['k2'], go)).toEqual([removed]);
      expect(site.proxy.count('GetBucketVersioning')).toBe(1);
      expect(site.proxy.count('ListObjectVersions')).toBe(0);
    });

    it('takes it for a versioned one where it locks objects', async () => {
      const bucket = await site.server.makeBucket({ objectLock: true });
      const store = site.open({ bucket, objectLock: { mode: 'governance', retainMs: 3_600_000 } });
      await store.create('k', Buffer.from('x'), go);
      site.proxy.break('GetBucketVersioning', failure(403, 'AccessDenied'));
      expect(await store.removeAll(['k'], go)).toMatchObject([{ kind: 'locked' }]);
      expect(await site.server.versions(bucket)).toEqual(['k']);
    });
  });

  describe('from a versioned bucket', () => {
    beforeEach(() => site.server.setVersioning(site.bucket, 'Enabled'));

    it('removes nothing where the versions cannot all be listed', async () => {
      const store = await openWithFive();
      const page =
        '<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k1</NextKeyMarker>' +
        '<Version><Key>k1</Key><VersionId>1</VersionId><IsLatest>true</IsLatest></Version></ListVersionsResult>';
      site.proxy.break((seen) => seen.url.searchParams.has('key-marker'), failure(500, 'InternalError'));
      site.proxy.break('ListObjectVersions', { kind: 'answer', status: 200, body: page });
      for (const outcome of await store.removeAll(five, go)) {
        expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'store-failed' } });
      }
      expect(site.proxy.count('DeleteObjects')).toBe(0);
      expect(await site.server.versions(site.bucket)).toEqual(five);
    });

    it('does not put a marker over a marker', async () => {
      const store = await openWithFive();
      site.proxy.break('ListObjectVersions', failure(403, 'AccessDenied'));
      site.proxy.break(about('HeadObject', 'k1'), {
        kind: 'error',
        status: 404,
        code: 'NoSuchKey',
        headers: { 'x-amz-delete-marker': 'true' },
      });
      expect(await store.removeAll(['k1'], go)).toEqual([{ kind: 'removed', isKeptAsVersion: true }]);
      expect(site.proxy.count('DeleteObjects')).toBe(0);
    });

    it('leaves the latest version where one before it could not be removed', async () => {
      const store = await openWithFive();
      await site.server.client.send(new PutObjectCommand({ Bucket: site.bucket, Key: 'k1', Body: 'newer' }));
      site.proxy.break('DeleteObjects', { kind: 'lose-answer' }, 1);
      const outcomes = await store.removeAll(['k1', 'k2'], go);
      expect(outcomes).toMatchObject([{ kind: 'failed', error: { retryable: true } }, removed]);
      expect((await site.server.readObject(site.bucket, 'k1')).toString()).toBe('newer');
      expect(await store.removeAll(['k1'], go)).toEqual([removed]);
      expect(await site.server.versions(site.bucket)).toEqual(['k3', 'k4', 'k5']);
    });
  });

  it('rejects when its signal is aborted, and with nothing else', async () => {
    const store = await openWithFive();
    const stop = new AbortController();
    site.proxy.break('DeleteObjects', { kind: 'swallow' });
    const arrival = site.proxy.arrival('DeleteObjects');
    const removing = store.removeAll(five, stop.signal);
    await arrival;
    stop.abort();
    await expect(removing).rejects.toMatchObject({ code: 'interrupted' });
  });
});
