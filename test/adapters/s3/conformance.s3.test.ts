import { afterAll, beforeAll, describe } from 'vitest';
import { describeObjectStoreConformance, type StoreSubject } from '../../conformance/object-store.ts';
import { startHttpProxy, type HttpProxy } from '../../support/http-proxy.ts';
import { openS3Store, quickRetry, startS3Server, type S3Server } from '../../support/s3.ts';
import { withRetries } from '../../../src/adapters/store-layers/with-retries.ts';
import type { S3StoreOptions } from '../../../src/adapters/s3/options.ts';

/** `*.localhost` need not resolve: the proxy is what finds the server. */
const domain = 's3.localhost';

describe('S3', () => {
  let server: S3Server;
  let proxy: HttpProxy;

  beforeAll(async () => {
    server = await startS3Server({ virtualHostDomain: domain });
    proxy = await startHttpProxy(server.endpoint);
  });

  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const subject = async (
    options: () => Partial<S3StoreOptions>,
    bucketOptions: Parameters<S3Server['makeBucket']>[0] = {},
  ): Promise<StoreSubject> => {
    const bucket = await server.makeBucket(bucketOptions);
    // A server that refuses a body before it read all of it resets the connection at times, and the answer is lost.
    const store = withRetries(openS3Store(server, bucket, { retry: quickRetry, ...options() }), quickRetry);
    return {
      store,
      partSizeBytes: 5 * 1024 ** 2,
      leftovers: () => server.openUploads(bucket),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  };

  describeObjectStoreConformance('a whole bucket', () => subject(() => ({})));

  describeObjectStoreConformance('a prefix, without checksum headers', () =>
    subject(() => ({ prefix: '/a//b/', checksums: 'when-required' })),
  );

  describeObjectStoreConformance('a bucket that keeps versions', () => subject(() => ({}), { versioning: 'Enabled' }));

  // field: F123
  describeObjectStoreConformance('a bucket named by the host, through a forward proxy', () =>
    subject(() => ({ endpoint: `http://${domain}`, forcePathStyle: false, prefix: 'a', proxy: proxy.url })),
  );
});
