import { setTimeout as sleep } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { GetObjectRetentionCommand, PutObjectCommand, PutObjectLegalHoldCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { S3StoreOptions } from '../../../src/adapters/s3/options.ts';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { bytesOf, keysOf, uploadWhole } from '../../conformance/object-store.ts';
import { wardenError } from '../../support/errors.ts';
import { openS3Store, restrictedUser, startS3Server, type S3Server } from '../../support/s3.ts';

const go = new AbortController().signal;
const removed = { kind: 'removed', isKeptAsVersion: false };
const hour = 3_600_000;

describe('A locked object in S3', () => {
  let server: S3Server;
  let bucket: string;
  const opened: ObjectStore[] = [];

  beforeAll(async () => {
    server = await startS3Server();
  });

  afterAll(() => server[Symbol.asyncDispose]());

  beforeEach(async () => {
    bucket = await server.makeBucket({ objectLock: true });
  });

  afterEach(async () => {
    for (const store of opened.splice(0)) await store[Symbol.asyncDispose]();
  });

  const open = (options: Partial<S3StoreOptions> = {}): ObjectStore => {
    const store = openS3Store(server, bucket, options);
    opened.push(store);
    return store;
  };

  const openLocking = (retainMs: number, options: Partial<S3StoreOptions> = {}) =>
    open({ objectLock: { mode: 'governance', retainMs }, ...options });

  const retention = async (Key: string) => {
    const answer = await server.client.send(new GetObjectRetentionCommand({ Bucket: bucket, Key }));
    return answer.Retention?.RetainUntilDate;
  };

  const setHold = (Key: string, Status: 'ON' | 'OFF') =>
    server.client.send(new PutObjectLegalHoldCommand({ Bucket: bucket, Key, LegalHold: { Status } }));

  // field: F142
  it.each(['governance', 'compliance'] as const)(
    'in %s mode stays as it was until its lock ends, and goes then',
    async (mode) => {
      const store = open({ objectLock: { mode, retainMs: 3000 } });
      const body = randomBytes(1000);
      await uploadWhole(store, 'c/backup', body);
      const until = await retention('c/backup');
      expect(await store.removeAll(['c/backup'], go)).toEqual([{ kind: 'locked', until }]);
      expect(await bytesOf(store, 'c/backup')).toEqual(body);
      expect(await server.versions(bucket)).toEqual(['c/backup']);
      await sleep(Number(until) - Date.now() + 1);
      expect(await store.removeAll(['c/backup'], go)).toEqual([removed]);
      expect(await server.versions(bucket)).toEqual([]);
    },
  );

  it('does not keep others from going in the same call', async () => {
    const store = openLocking(hour);
    await store.create('a', randomBytes(10), go);
    await store.create('b', randomBytes(10), go, { removable: true });
    await store.create('c', randomBytes(10), go);
    const outcomes = await store.removeAll(['c', 'b', 'a'], go);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['locked', 'removed', 'locked']);
    expect(await keysOf(store, '')).toEqual(['a', 'c']);
    expect(await server.versions(bucket)).toEqual(['a', 'c']);
  });

  it('in a plain manner of speaking has a legal hold: no end is named', async () => {
    const store = open();
    await store.create('k', randomBytes(10), go);
    await setHold('k', 'ON');
    expect(await store.removeAll(['k'], go)).toEqual([{ kind: 'locked', until: undefined }]);
    expect(await store.stat('k', go)).toMatchObject({ hasLegalHold: true, lockedUntil: undefined });
    expect(await server.versions(bucket)).toEqual(['k']);
    await setHold('k', 'OFF');
    expect(await store.removeAll(['k'], go)).toEqual([removed]);
    expect(await server.versions(bucket)).toEqual([]);
  });

  it('under a newer version keeps that one too', async () => {
    const store = openLocking(hour);
    await store.create('k', Buffer.from('locked'), go);
    const until = await retention('k');
    await server.client.send(new PutObjectCommand({ Bucket: bucket, Key: 'k', Body: 'newer' }));
    expect(await store.removeAll(['k'], go)).toEqual([{ kind: 'locked', until }]);
    expect((await bytesOf(store, 'k')).toString()).toBe('newer');
    expect(await server.versions(bucket)).toEqual(['k', 'k']);
  });

  it('is not hidden by a role that may not list versions, and not by one that may not see locks', async () => {
    await openLocking(hour).create('k', randomBytes(10), go);
    const until = await retention('k');
    const rights = ['s3:GetBucketVersioning', 's3:DeleteObject'];
    await server.allow(bucket, [...rights, 's3:GetObject']);
    expect(await open({ credentials: restrictedUser }).removeAll(['k'], go)).toEqual([{ kind: 'locked', until }]);
    await server.allow(bucket, rights);
    const error = wardenError('store-access-denied', 's3:GetObjectRetention');
    const blind = openLocking(hour, { credentials: restrictedUser });
    expect(await blind.removeAll(['k'], go)).toEqual([{ kind: 'failed', error }]);
    expect(await server.versions(bucket)).toEqual(['k']);
  });

  it('has its lock told by a listing as an estimate, and by stat as it is', async () => {
    const store = openLocking(hour);
    await store.create('k', randomBytes(10), go);
    await store.create('removable', randomBytes(10), go, { removable: true });
    const [listed] = await Array.fromAsync(store.list('k', go));
    expect(listed?.lockedUntil).toEqual(new Date(Number(listed?.modifiedAt) + hour));
    expect(await store.stat('k', go)).toMatchObject({ lockedUntil: await retention('k'), hasLegalHold: false });
    expect((await store.stat('removable', go))?.lockedUntil).toBeUndefined();
    const [unlocked] = await Array.fromAsync(open().list('k', go));
    expect(unlocked?.lockedUntil).toBeUndefined();
  });
});
