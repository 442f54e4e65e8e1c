import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { wardenError } from '../../support/errors.ts';
import { startHttpProxy, type HttpProxy } from '../../support/http-proxy.ts';
import { about, bulkAnswer, deleted, failure, head, refused } from '../../support/s3-answers.ts';
import { openS3Store, startS3Server, type S3Server } from '../../support/s3.ts';

const go = new AbortController().signal;
const removed = { kind: 'removed', isKeptAsVersion: false };
const five = ['k1', 'k2', 'k3', 'k4', 'k5'];

// field: F142
describe('A removal from S3 that gets "access denied"', () => {
  let server: S3Server;
  let proxy: HttpProxy;
  let bucket: string;
  let store: ObjectStore;

  beforeAll(async () => {
    server = await startS3Server();
    bucket = await server.makeBucket();
    for (const Key of five) await server.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Key }));
  });

  afterAll(() => server[Symbol.asyncDispose]());

  beforeEach(async () => {
    proxy = await startHttpProxy(server.endpoint);
    store = openS3Store({ ...server, endpoint: proxy.url }, bucket);
  });

  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  });

  const until = new Date('2090-01-01T00:00:00Z');
  const retained = head({
    'x-amz-object-lock-mode': 'GOVERNANCE',
    'x-amz-object-lock-retain-until-date': until.toISOString(),
  });

  it('is blocked by a lock or by a missing right, as the object tells', async () => {
    proxy.break('DeleteObjects', bulkAnswer(...five.map((key) => refused(key))));
    proxy.break(about('HeadObject', 'k1'), retained);
    proxy.break(about('HeadObject', 'k2'), head({ 'x-amz-object-lock-legal-hold': 'ON' }));
    proxy.break(about('HeadObject', 'k3'), head({ 'x-amz-object-lock-retain-until-date': '2020-01-01T00:00:00Z' }));
    // A role that may not read, but may look at locks.
    proxy.break(about('HeadObject', 'k4'), failure(403, 'AccessDenied'));
    proxy.break(about('GetObjectRetention', 'k4'), {
      kind: 'answer',
      status: 200,
      body: `<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>${until.toISOString()}</RetainUntilDate></Retention>`,
    });
    proxy.break(about('HeadObject', 'k5'), failure(403, 'AccessDenied'));
    proxy.break(about('GetObjectRetention', 'k5'), failure(403, 'AccessDenied'));
    expect(await store.removeAll(five, go)).toEqual([
      { kind: 'locked', until },
      { kind: 'locked', until: undefined },
      { kind: 'failed', error: wardenError('store-access-denied', 'the role lacks s3:DeleteObject') },
      { kind: 'locked', until },
      { kind: 'failed', error: wardenError('store-access-denied', 'or it is locked', 's3:GetObjectRetention') },
    ]);
  });

  it.each([
    'Access Denied because object protected by object lock.',
    'Object is WORM protected and cannot be overwritten',
  ])('is blocked by a lock that cannot be seen where the store says %j', async (message) => {
    proxy.break('DeleteObjects', bulkAnswer(refused('k1', 'AccessDenied', message)));
    expect(await store.removeAll(['k1'], go)).toEqual([{ kind: 'locked', until: undefined }]);
  });

  it('is blocked by a lock that ended by this clock only, for the store may be behind', async () => {
    const justEnded = new Date(Date.now() - 60_000);
    proxy.break('DeleteObjects', bulkAnswer(refused('k1')));
    proxy.break('HeadObject', head({ 'x-amz-object-lock-retain-until-date': justEnded.toISOString() }));
    expect(await store.removeAll(['k1'], go)).toEqual([{ kind: 'locked', until: justEnded }]);
  });

  it('leaves one key open, and no other, where its lock cannot be looked up', async () => {
    proxy.break('DeleteObjects', bulkAnswer(refused('k1'), refused('k2'), deleted('k3')));
    proxy.break(about('HeadObject', 'k1'), failure(503, 'SlowDown'));
    proxy.break(about('HeadObject', 'k2'), retained);
    expect(await store.removeAll(five.slice(0, 3), go)).toMatchObject([
      { kind: 'failed', error: { code: 'store-throttled', retryable: true } },
      { kind: 'locked', until },
      removed,
    ]);
  });
});
