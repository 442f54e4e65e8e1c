import {
  CopyObjectCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  type BucketVersioningStatus,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { S3StoreOptions } from '../../../src/adapters/s3/options.ts';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { bytesOf, keysOf } from '../../conformance/object-store.ts';
import { wardenError } from '../../support/errors.ts';
import { openS3Store, restrictedUser, startS3Server, type S3Server } from '../../support/s3.ts';

const go = new AbortController().signal;
const removed = { kind: 'removed', isKeptAsVersion: false };
const hidden = { kind: 'removed', isKeptAsVersion: true };

describe('Removing objects from S3', () => {
  let server: S3Server;
  const opened: ObjectStore[] = [];

  beforeAll(async () => {
    server = await startS3Server();
  });

  afterAll(() => server[Symbol.asyncDispose]());

  afterEach(async () => {
    for (const store of opened.splice(0)) await store[Symbol.asyncDispose]();
  });

  const open = (bucket: string, options: Partial<S3StoreOptions> = {}): ObjectStore => {
    const store = openS3Store(server, bucket, options);
    opened.push(store);
    return store;
  };

  const put = (bucket: string, ...names: string[]) =>
    Promise.all(names.map((Key) => server.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Key }))));

  /** As a person or a lifecycle rule would: a delete marker in a versioned bucket. */
  const hide = (bucket: string, Key: string) => server.client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));

  it.each(['when-supported', 'when-required'] as const)(
    'takes as many keys as there are, checksums %s',
    async (checksums) => {
      const bucket = await server.makeBucket();
      const keys = Array.from({ length: 2300 }, (_, index) => `k${String(index).padStart(5, '0')}`);
      for (let at = 0; at < keys.length; at += 50) await put(bucket, ...keys.slice(at, at + 50));
      await put(bucket, 'other');
      const store = open(bucket, { checksums });
      const outcomes = await store.removeAll(keys, go);
      expect(outcomes).toEqual(keys.map(() => removed));
      expect(await keysOf(store, '')).toEqual(['other']);
    },
  );

  it('gives an outcome for a key each time it is named, in the order given', async () => {
    const bucket = await server.makeBucket();
    await put(bucket, 'a', 'b');
    expect(await open(bucket).removeAll(['b', 'never', 'a', 'b'], go)).toEqual([removed, removed, removed, removed]);
    expect(await server.objectNames(bucket)).toEqual([]);
  });

  // field: F084
  it.each([
    ['', ['k', 'x/a/1']],
    ['a', ['a/k', 'a/x/a/1']],
    ['a/', ['a/k', 'a/x/a/1']],
    ['/a/', ['a/k', 'a/x/a/1']],
    ['a//b', ['a/b/k', 'a/b/x/a/1']],
  ])('below prefix %j touches nothing else', async (prefix, gone) => {
    for (const versioning of [undefined, 'Enabled'] as const) {
      const bucket = await server.makeBucket({ ...(versioning !== undefined && { versioning }) });
      const all = ['k', 'a/k', 'ab/k', 'a/b/k', 'a/bc/k', 'x/a/1', 'a/x/a/1', 'a/b/x/a/1', 'b/a/k'];
      await put(bucket, ...all);
      const outcomes = await open(bucket, { prefix }).removeAll(['k', 'x/a/1'], go);
      expect(outcomes).toEqual([removed, removed]);
      expect(new Set(await server.objectNames(bucket))).toEqual(new Set(all.filter((name) => !gone.includes(name))));
    }
  });

  describe.each(['Enabled', 'Suspended'] as const)('with versioning %s', (versioning: BucketVersioningStatus) => {
    it('leaves no version and no marker, and no neighbour is touched', async () => {
      const bucket = await server.makeBucket({ versioning: 'Enabled' });
      await put(bucket, 'f/a', 'f/ab', 'f/a.b', 'f/b');
      await put(bucket, 'f/a', 'f/ab');
      await server.setVersioning(bucket, versioning);
      const store = open(bucket);
      expect(await store.removeAll(['f/a', 'f/b', 'f/never'], go)).toEqual([removed, removed, removed]);
      expect(await keysOf(store, '')).toEqual(['f/a.b', 'f/ab']);
      expect((await server.versions(bucket)).toSorted()).toEqual(['f/a.b', 'f/ab', 'f/ab']);
    });

    it('does not bring back what a delete marker hid', async () => {
      const bucket = await server.makeBucket({ versioning: 'Enabled' });
      await put(bucket, 'k');
      await hide(bucket, 'k');
      await put(bucket, 'k');
      await hide(bucket, 'k');
      await server.setVersioning(bucket, versioning);
      const store = open(bucket);
      expect(await store.removeAll(['k'], go)).toEqual([removed]);
      expect(await store.stat('k', go)).toBeUndefined();
      expect(await server.versions(bucket)).toEqual([]);
    });
  });

  it('removes more versions than fit into a page', async () => {
    const bucket = await server.makeBucket({ versioning: 'Enabled' });
    await put(bucket, 'f/k', 'f/l');
    const copy = new CopyObjectCommand({
      Bucket: bucket,
      Key: 'f/k',
      CopySource: `${bucket}/f/k`,
      MetadataDirective: 'REPLACE',
    });
    for (let count = 0; count < 1100; count += 1) await server.client.send(copy);
    expect(await open(bucket).removeAll(['f/k'], go)).toEqual([removed]);
    expect(await server.versions(bucket)).toEqual(['f/l']);
  });

  describe('with a role of few rights', () => {
    const asRestricted = { credentials: restrictedUser };

    it('names the right that is missing', async () => {
      const bucket = await server.makeBucket();
      await put(bucket, 'a', 'b');
      await server.allow(bucket, ['s3:GetObject']);
      const lacks = { kind: 'failed', error: wardenError('store-access-denied', 's3:DeleteObject') };
      expect(await open(bucket, asRestricted).removeAll(['a', 'b'], go)).toEqual([lacks, lacks]);
      expect(await server.objectNames(bucket)).toEqual(['a', 'b']);
    });

    it('needs no more than the right to delete in a plain bucket', async () => {
      const bucket = await server.makeBucket();
      await put(bucket, 'a', 'b');
      await server.allow(bucket, ['s3:DeleteObject']);
      expect(await open(bucket, asRestricted).removeAll(['a', 'b'], go)).toEqual([removed, removed]);
      expect(await server.objectNames(bucket)).toEqual([]);
    });

    it('says that the bytes are kept where it learns from the answer that the bucket is versioned', async () => {
      const bucket = await server.makeBucket({ versioning: 'Enabled' });
      await put(bucket, 'a', 'b');
      await server.allow(bucket, ['s3:DeleteObject', 's3:ListBucketVersions', 's3:DeleteObjectVersion']);
      const store = open(bucket, asRestricted);
      expect(await store.removeAll(['a'], go)).toEqual([hidden]);
      expect((await server.versions(bucket)).toSorted()).toEqual(['a', 'a (marker)', 'b']);
      expect(await store.removeAll(['a', 'b'], go)).toEqual([removed, removed]);
      expect(await server.versions(bucket)).toEqual([]);
    });

    it.each([
      ['may not list versions', ['s3:GetBucketVersioning', 's3:GetObject', 's3:DeleteObject']],
      [
        'may not delete versions',
        ['s3:GetBucketVersioning', 's3:ListBucketVersions', 's3:GetObject', 's3:GetObjectVersion', 's3:DeleteObject'],
      ],
    ])('that %s says that the bytes are kept', async (_, actions) => {
      const bucket = await server.makeBucket({ versioning: 'Enabled' });
      await put(bucket, 'a', 'b', 'c');
      await server.allow(bucket, actions);
      const store = open(bucket, asRestricted);
      expect(await store.removeAll(['a', 'b'], go)).toEqual([hidden, hidden]);
      expect(await server.objectNames(bucket)).toEqual(['c']);
      expect((await server.versions(bucket)).toSorted()).toEqual(['a', 'a (marker)', 'b', 'b (marker)', 'c']);
      // No marker over a marker.
      expect(await store.removeAll(['a', 'b'], go)).toMatchObject([{ kind: 'removed' }, { kind: 'removed' }]);
      expect(await server.versions(bucket)).toHaveLength(5);
      expect((await bytesOf(open(bucket), 'c')).toString()).toBe('c');
    });
  });
});
