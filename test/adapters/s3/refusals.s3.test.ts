import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GetObjectRetentionCommand } from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { keysOf, uploadWhole } from '../../conformance/object-store.ts';
import { makeCertificates, type Certificates } from '../../support/certificates.ts';
import { wardenError } from '../../support/errors.ts';
import { freePorts } from '../../support/process.ts';
import { openS3Store, restrictedUser, startS3Server, type S3Server } from '../../support/s3.ts';

const go = new AbortController().signal;

describe('An S3 store', () => {
  let server: S3Server;
  let bucket: string;

  beforeAll(async () => {
    server = await startS3Server();
    bucket = await server.makeBucket();
  });

  afterAll(() => server[Symbol.asyncDispose]());

  it('says that the bucket is missing', async () => {
    await using store = openS3Store(server, 'no-such-bucket');
    await expect(store.create('k', Buffer.from('x'), go)).rejects.toMatchObject({ code: 'store-bucket-missing' });
    await expect(keysOf(store, '')).rejects.toMatchObject({
      code: 'store-bucket-missing',
      message: expect.stringContaining('no-such-bucket') as unknown,
    });
  });

  it.each([
    ['does not know this access key', { accessKeyId: 'AKIANOBODY', secretAccessKey: 'averysecretsecret' }],
    ['secret does not fit the access key', { accessKeyId: 'AKIATEST', secretAccessKey: 'averysecretsecret' }],
  ])('tells "%s" from missing rights, and shows no secret', async (told, credentials) => {
    await using store = openS3Store({ ...server, credentials }, bucket);
    const error: unknown = await keysOf(store, '').catch((thrown: unknown) => thrown);
    expect(error).toEqual(wardenError('store-credentials', told));
    expect(error).toMatchObject({ hint: expect.stringContaining('AWS_SECRET_ACCESS_KEY') as unknown });
    expect(String(error)).not.toContain('averysecret');
  });

  it('says that rights are missing', async () => {
    await using store = openS3Store({ ...server, credentials: restrictedUser }, bucket);
    const calls = [
      () => keysOf(store, ''),
      () => store.create('k', Buffer.from('x'), go),
      () => store.read('k', {}, go),
      () => store.stat('k', go),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'store-access-denied' });
  });

  it('works with a role that may only write', async () => {
    const writeOnly = await server.makeBucket();
    await server.allow(writeOnly, ['s3:PutObject', 's3:AbortMultipartUpload']);
    await using store = openS3Store({ ...server, credentials: restrictedUser }, writeOnly);
    await uploadWhole(store, 'small', randomBytes(10));
    await uploadWhole(store, 'large', randomBytes(6 * 1024 ** 2));
    await store.create('manifest', Buffer.from('x'), go);
    await expect(store.create('manifest', Buffer.from('x'), go)).rejects.toMatchObject({ code: 'store-object-exists' });
    {
      await using dropped = await store.startUpload('dropped', { maxBytes: 12 * 1024 ** 2 }, go);
      await dropped.write(randomBytes(11 * 1024 ** 2));
    }
    expect(await server.objectNames(writeOnly)).toEqual(['large', 'manifest', 'small']);
    expect(await server.openUploads(writeOnly)).toEqual([]);
  });

  it('says that nobody listens', async () => {
    const [port = 0] = await freePorts(1);
    await using store = openS3Store({ ...server, endpoint: `http://127.0.0.1:${port}` }, bucket);
    await expect(keysOf(store, '')).rejects.toMatchObject({ code: 'store-unreachable' });
  });

  it.each(['when-supported', 'when-required'] as const)('locks what it stores, checksums %s', async (checksums) => {
    const locked = await server.makeBucket({ objectLock: true });
    const retainMs = 3_600_000;
    await using store = openS3Store(server, locked, { checksums, objectLock: { mode: 'governance', retainMs } });
    await store.create('small', Buffer.from('x'), go);
    await uploadWhole(store, 'large', randomBytes(6 * 1024 ** 2));
    for (const Key of ['small', 'large']) {
      const { Retention } = await server.client.send(new GetObjectRetentionCommand({ Bucket: locked, Key }));
      expect(Retention?.Mode).toBe('GOVERNANCE');
      const leftMs = (Retention?.RetainUntilDate?.getTime() ?? 0) - Date.now();
      expect(leftMs).toBeGreaterThan(retainMs - 60_000);
      // To the next whole second.
      expect(leftMs).toBeLessThanOrEqual(retainMs + 1000);
    }
  });

  describe('over TLS', () => {
    let certificates: Certificates;
    let tlsServer: S3Server;

    beforeAll(async () => {
      certificates = await makeCertificates();
      tlsServer = await startS3Server({ tls: certificates.server });
    });

    afterAll(async () => {
      await tlsServer[Symbol.asyncDispose]();
      await certificates[Symbol.asyncDispose]();
    });

    // field: F121
    it('names the caFile in use when it does not know the authority', async () => {
      const refusal = async (caFile?: string): Promise<string[]> => {
        await using store = openS3Store(tlsServer, 'bucket-1', { caFile });
        return await keysOf(store, '');
      };
      const told = 'the server certificate is not signed by a';
      await expect(refusal()).rejects.toEqual(
        wardenError('store-tls-failed', `${told} public CA, and caFile is not set`),
      );
      const { strangeCaFile } = certificates;
      await expect(refusal(strangeCaFile)).rejects.toEqual(
        wardenError('store-tls-failed', `${told} CA in caFile ${strangeCaFile}, nor by a public one`),
      );
      await expect(refusal()).rejects.not.toThrow(/Node/);
    });

    it('says which scheme is right', async () => {
      const errorAt = async (endpoint: string): Promise<unknown> => {
        await using store = openS3Store({ ...server, endpoint }, bucket);
        return await store.create('k', Buffer.from('x'), go).catch((thrown: unknown) => thrown);
      };
      const plain = await errorAt(server.endpoint.replace('http:', 'https:'));
      expect(plain).toMatchObject({
        code: 'store-tls-failed',
        message: expect.stringMatching(/: https:\/\/ was given, but this endpoint speaks plain HTTP$/) as unknown,
        hint: expect.stringContaining('http://') as unknown,
      });
      expect(await errorAt(tlsServer.endpoint.replace('https:', 'http:'))).toMatchObject({
        code: expect.stringMatching(/^store-(unreachable|refused)$/) as unknown,
        message: expect.stringMatching(/if this endpoint speaks TLS, write https:\/\/$/) as unknown,
      });
    });

    // field: F121
    it('trusts the authority in caFile', async () => {
      await using store = openS3Store(tlsServer, 'no-such-bucket', { caFile: certificates.caFile });
      await expect(keysOf(store, '')).rejects.toMatchObject({ code: 'store-bucket-missing' });
    });
  });
});
