import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { S3StoreOptions } from '../../../src/adapters/s3/options.ts';
import type { WardenError } from '../../../src/errors/warden-error.ts';
import { uploadWhole } from '../../conformance/object-store.ts';
import { freePorts } from '../../support/process.ts';
import { openS3Store, quickRetry } from '../../support/s3.ts';

const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secretsecret' };
const limits = { connectMs: 500, idleMs: 500, requestMs: 500, completeMs: 500, cleanupMs: 300 };
const sizes = [['one request', 10] as const, ['many', 6 * 1024 ** 2] as const];

/** The code of the failed upload, and what it said of leftovers. */
async function failedUpload(endpoint: string, sizeBytes: number, options: Partial<S3StoreOptions> = {}) {
  const told: string[] = [];
  const onLeftover = (error: WardenError) => told.push(error.message);
  await using store = openS3Store({ endpoint, credentials }, 'b', {
    limits,
    retry: quickRetry,
    onLeftover,
    ...options,
  });
  const error = await uploadWhole(store, 'k', randomBytes(sizeBytes)).catch((thrown: unknown) => thrown);
  return { error, told };
}

async function serving<T>(listener: RequestListener, use: (endpoint: string) => Promise<T>): Promise<T> {
  const server = createServer(listener);
  try {
    return await use(await listening(server));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Its URL, once it takes connections. */
async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.each(sizes)('An upload of %s', (_, sizeBytes) => {
  it('left nothing where nobody listens', async () => {
    const [port = 0] = await freePorts(1);
    const failed = await failedUpload(`http://127.0.0.1:${port}`, sizeBytes);
    expect(failed).toMatchObject({ error: { code: 'store-unreachable' }, told: [] });
  });

  it('left nothing where the server does not speak TLS', async () => {
    const failed = await serving(
      (__, answer) => answer.end(),
      (endpoint) => failedUpload(endpoint.replace('http:', 'https:'), sizeBytes),
    );
    expect(failed).toMatchObject({ error: { code: 'store-tls-failed' }, told: [] });
  });

  it('left nothing without credentials', async () => {
    const missing = () => Promise.reject(Object.assign(new Error('none'), { name: 'CredentialsProviderError' }));
    const [port = 0] = await freePorts(1);
    const failed = await failedUpload(`http://127.0.0.1:${port}`, sizeBytes, { credentials: missing });
    expect(failed).toMatchObject({ error: { code: 'store-credentials' }, told: [] });
  });

  it('may have left something where a request was taken and never answered, even if nobody listens after that', async () => {
    const server = createServer((request) => {
      // With the connection goes the server: all further attempts are refused.
      server.close();
      request.socket.destroy();
    });
    const failed = await failedUpload(await listening(server), sizeBytes);
    expect(failed).toMatchObject({
      error: { code: 'store-unreachable' },
      told: [expect.stringContaining('may have left')],
    });
  });
});
