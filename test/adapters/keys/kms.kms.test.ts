import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createKmsProvider } from '../../../src/adapters/keys/kms.ts';
import { createRsaPrivateKeyProvider, createRsaPublicKeyProvider } from '../../../src/adapters/keys/rsa-key-file.ts';
import type { KeyProvider } from '../../../src/ports/key-provider.ts';
import { openSealed } from '../../../src/snapshot/open.ts';
import { prepareSealing, seal } from '../../../src/snapshot/seal.ts';
import { describeKeyProviderConformance } from '../../conformance/key-provider.ts';
import { bytesOf, collect } from '../../support/byte-streams.ts';
import { wardenError } from '../../support/errors.ts';
import { makeKeyFiles } from '../../support/key-files.ts';
import { startKms, testCredentials as credentials, type TestKms } from '../../support/kms.ts';

const context = { cluster: 'prod' };
const { signal } = new AbortController();

const prepare = (...providers: readonly KeyProvider[]) =>
  prepareSealing({ compression: { algorithm: 'none' }, encryption: { providers, context } }, signal);

async function sealFor(...providers: readonly KeyProvider[]): Promise<Buffer> {
  await using sealed = seal(bytesOf(Buffer.from('content')), await prepare(...providers), signal);
  return await collect(sealed);
}

async function openWith(message: Uint8Array, ...providers: readonly KeyProvider[]): Promise<string> {
  const expected = { compression: 'none', encryption: { context }, limits: { maxPlaintextBytes: 100 } } as const;
  return (await collect(openSealed(bytesOf(message), expected, providers, signal))).toString();
}

describeKeyProviderConformance('a KMS key', async () => {
  const kms = await startKms();
  const key = createKmsProvider({ keyArn: await kms.createKey(), endpoint: kms.endpoint, credentials });
  const stranger = createKmsProvider({ keyArn: await kms.createKey(), endpoint: kms.endpoint, credentials });
  return {
    seals: key,
    opens: key,
    stranger,
    async [Symbol.asyncDispose]() {
      await key[Symbol.asyncDispose]();
      await stranger[Symbol.asyncDispose]();
      await kms[Symbol.asyncDispose]();
    },
  };
});

describe('KMS', () => {
  let kms: TestKms;
  const providers = new AsyncDisposableStack();
  const provider = (keyArn: string): KeyProvider =>
    providers.use(createKmsProvider({ keyArn, endpoint: kms.endpoint, credentials }));

  beforeAll(async () => {
    kms = await startKms();
  });
  afterEach(() => kms.inject());
  afterAll(async () => {
    await providers.disposeAsync();
    await kms[Symbol.asyncDispose]();
  });

  // field: F136
  it('records the key that an alias stood for, and opens by alias or ARN even after the alias was moved on', async () => {
    const [first, second] = [await kms.createKey(), await kms.createKey()];
    const alias = await kms.createAlias('backups', first);
    const prepared = await prepare(provider(alias));
    expect(prepared.recipients).toEqual([{ kind: 'aws-kms', name: first }]);

    const message = await sealFor(provider(alias));
    await kms.pointAlias('backups', second);
    expect(await openWith(message, provider(alias))).toBe('content');
    expect(await openWith(message, provider(first))).toBe('content');
    await expect(openWith(message, provider(second))).rejects.toEqual(wardenError('no-identity'));
  });

  it('does not let an alias open what a key of another account or region sealed', async () => {
    const key = await kms.createKey();
    const message = await sealFor(provider(key));
    const otherAccount = 'arn:aws:kms:us-east-1:999999999999:alias/backups';
    await expect(openWith(message, provider(otherAccount))).rejects.toEqual(wardenError('no-identity'));
    const otherRegion = key.replace('us-east-1', 'eu-central-1').replace(/key\/.*/, 'alias/backups');
    await expect(openWith(message, provider(otherRegion))).rejects.toEqual(wardenError('no-identity'));
  });

  it.each(['alias/backups', '7325a3cd-231c-4f08-bf75-9999346280ce', 'arn:aws:s3:::bucket', ''])(
    'takes no key named %j: without account and region it would mean another one elsewhere',
    (keyArn) => {
      expect(() => createKmsProvider({ keyArn })).toThrow(expect.objectContaining({ code: 'config-invalid' }));
    },
  );

  it('opens with any one of several recipients', async () => {
    const [first, second] = [await kms.createKey(), await kms.createKey()];
    const message = await sealFor(provider(first), provider(second));
    expect(await openWith(message, provider(first))).toBe('content');
    expect(await openWith(message, provider(second))).toBe('content');
  });

  it('lists whom a message is sealed to when no key opens it', async () => {
    const key = await kms.createKey();
    const message = await sealFor(provider(key));
    const error = openWith(message, provider(await kms.createKey()));
    await expect(error).rejects.toEqual(wardenError('no-identity', key));
  });

  it('names the recipient that is denied, among several', async () => {
    const [first, second] = [await kms.createKey(), await kms.createKey()];
    await kms.inject({ action: 'Encrypt', code: 'AccessDeniedException', status: 400 });
    await expect(prepare(provider(first), provider(second))).rejects.toEqual(
      wardenError('key-denied', `kms:Encrypt with ${second}`),
    );
  });

  it('says that a disabled key is not available, for sealing and for opening', async () => {
    const key = await kms.createKey();
    const message = await sealFor(provider(key));
    await kms.disable(key);
    const unavailable = wardenError('key-unavailable', key);
    await expect(prepare(provider(key))).rejects.toEqual(unavailable);
    await expect(openWith(message, provider(key))).rejects.toEqual(unavailable);
    await kms.enable(key);
    expect(await openWith(message, provider(key))).toBe('content');
  });

  it('says that a key is not available that waits for deletion or never existed', async () => {
    const key = await kms.createKey();
    await kms.scheduleDeletion(key);
    await expect(prepare(provider(key))).rejects.toEqual(wardenError('key-unavailable'));
    const missing = key.replace(/key\/.*/, 'key/00000000-0000-0000-0000-000000000000');
    await expect(prepare(provider(missing))).rejects.toEqual(wardenError('key-unavailable'));
  });

  it('gets through a moment of throttling', async () => {
    const key = await kms.createKey();
    await kms.inject({ action: 'GenerateDataKey', code: 'ThrottlingException', status: 400, times: 2 });
    await expect(prepare(provider(key))).resolves.toBeDefined();
  });

  it('falls back to the recovery key when KMS is down, and says so when there is none', async () => {
    await using files = await makeKeyFiles();
    await using down = await startKms();
    const { publicFile, privateFile } = await files.writeRsaPair('recovery');
    await using kmsKey = createKmsProvider({ keyArn: await down.createKey(), endpoint: down.endpoint, credentials });
    const message = await sealFor(kmsKey, createRsaPublicKeyProvider({ file: publicFile, name: 'recovery' }));
    down.process.signal('SIGKILL');
    await down.process.exited;

    const recovery = createRsaPrivateKeyProvider({ file: privateFile, name: 'recovery' });
    expect(await openWith(message, kmsKey, recovery)).toBe('content');
    await expect(openWith(message, kmsKey)).rejects.toEqual(wardenError('key-unreachable'));
  });

  it.each([
    [200, 'text/html', '<html>It works</html>', 'HTTP 200'],
    [404, 'text/plain', '404 page not found', 'HTTP 404'],
    [404, 'application/json', '{"error":"no route"}', 'HTTP 404'],
    [502, 'text/html', '<html>Bad gateway</html>', 'HTTP 502'],
  ])('tells an endpoint that answers %i with %s %j from KMS', async (status, contentType, body, told) => {
    const server = createServer((_, answer) => answer.writeHead(status, { 'content-type': contentType }).end(body));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await using web = createKmsProvider({ keyArn: await kms.createKey(), endpoint, credentials });
    const error: unknown = await prepare(web).catch((thrown: unknown) => thrown);
    expect(error).toEqual(wardenError('key-unreachable', `${endpoint} answered, but not as KMS (${told})`));
    expect(error).toMatchObject({ hint: expect.stringContaining('Check the KMS endpoint') as unknown });
    expect(String(error)).not.toMatch(/hidden field/);
    server.close();
  });

  it('says which scheme is right where KMS speaks plain HTTP', async () => {
    const endpoint = kms.endpoint.replace('http:', 'https:');
    await using secure = createKmsProvider({ keyArn: await kms.createKey(), endpoint, credentials });
    await expect(prepare(secure)).rejects.toEqual(wardenError('key-unreachable', 'this endpoint speaks plain HTTP'));
  });

  it('does not wait longer for a KMS that never answers than its limit', async () => {
    const key = await kms.createKey();
    await kms.inject({ action: '*', delayMs: 60_000 });
    const startedAt = performance.now();
    await expect(prepare(provider(key))).rejects.toEqual(wardenError('key-unreachable'));
    expect(performance.now() - startedAt).toBeLessThan(12_000);
  });

  it('stops waiting for KMS at once when the run is stopped', async () => {
    const key = await kms.createKey();
    await kms.inject({ action: '*', delayMs: 60_000 });
    const controller = new AbortController();
    const preparing = prepareSealing(
      { compression: { algorithm: 'none' }, encryption: { providers: [provider(key)], context } },
      controller.signal,
    );
    const startedAt = performance.now();
    controller.abort(new Error('told to stop'));
    await expect(preparing).rejects.toThrow('told to stop');
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});
