import { PutObjectLockConfigurationCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { openS3Store, startS3Server, type S3Server } from '../../support/s3.ts';

const go = new AbortController().signal;
const dayMs = 86_400_000;

describe('The lock that a listing tells of', () => {
  let server: S3Server;

  beforeAll(async () => {
    server = await startS3Server();
  });

  afterAll(() => server[Symbol.asyncDispose]());

  /** How many days after it was written an object is locked. */
  const lockedForDays = async (store: ObjectStore): Promise<number | undefined> => {
    await store.create('k', Buffer.from('x'), go);
    for await (const { lockedUntil, modifiedAt } of store.list('', go)) {
      return lockedUntil === undefined ? undefined : (lockedUntil.getTime() - modifiedAt.getTime()) / dayMs;
    }
    return undefined;
  };
  const setDefault = (Bucket: string, Days: number) =>
    server.client.send(
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days } },
        },
      }),
    );

  it("is the bucket's own default where the options say nothing", async () => {
    const bucket = await server.makeBucket({ objectLock: true });
    await setDefault(bucket, 30);
    await using store = openS3Store(server, bucket);
    expect(await lockedForDays(store)).toBe(30);
  });

  it('is what the options say, where they do', async () => {
    const bucket = await server.makeBucket({ objectLock: true });
    await setDefault(bucket, 30);
    await using store = openS3Store(server, bucket, { objectLock: { mode: 'governance', retainMs: 2 * dayMs } });
    expect(await lockedForDays(store)).toBe(2);
  });

  it('is none in a plain bucket', async () => {
    await using store = openS3Store(server, await server.makeBucket());
    expect(await lockedForDays(store)).toBeUndefined();
  });
});
