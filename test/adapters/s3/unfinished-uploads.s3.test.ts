import { CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStore, UnfinishedUpload } from '../../../src/ports/object-store.ts';
import { wardenError } from '../../support/errors.ts';
import { openS3Store, restrictedUser, startS3Server, type S3Server } from '../../support/s3.ts';

const go = new AbortController().signal;

describe('Unfinished uploads in S3', () => {
  let server: S3Server;
  let bucket: string;

  beforeAll(async () => {
    server = await startS3Server();
  });

  afterAll(() => server[Symbol.asyncDispose]());

  beforeEach(async () => {
    bucket = await server.makeBucket();
  });

  const begin = (...names: string[]) =>
    Promise.all(names.map((Key) => server.client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }))));

  const found = (store: ObjectStore, prefix: string): Promise<UnfinishedUpload[]> =>
    Array.fromAsync(store.unfinishedUploads(prefix, go));

  // field: F084
  it.each([
    ['', ['a/b/c/1', 'a/bc/c/1', 'a/c/1', 'ab/c/1', 'c/1'], 'c/1'],
    ['a', ['b/c/1', 'bc/c/1', 'c/1'], 'a/c/1'],
    ['a/', ['b/c/1', 'bc/c/1', 'c/1'], 'a/c/1'],
    ['/a/', ['b/c/1', 'bc/c/1', 'c/1'], 'a/c/1'],
    ['a//b', ['c/1'], 'a/b/c/1'],
  ])("below prefix %j are listed and aborted, a neighbour's are not", async (prefix, keys, aborted) => {
    const names = ['c/1', 'a/c/1', 'ab/c/1', 'a/b/c/1', 'a/bc/c/1'];
    await begin(...names);
    await using store = openS3Store(server, bucket, { prefix });
    expect((await found(store, '')).map(({ key }) => key).toSorted()).toEqual(keys);
    for (const upload of await found(store, 'c/')) await upload.abort(go);
    expect((await server.openUploads(bucket)).toSorted()).toEqual(names.filter((name) => name !== aborted).toSorted());
  });

  it('that the role may not list are an error', async () => {
    await using store = openS3Store({ ...server, credentials: restrictedUser }, bucket);
    await expect(found(store, '')).rejects.toEqual(wardenError('store-access-denied', 'ListMultipartUploads'));
  });
});
