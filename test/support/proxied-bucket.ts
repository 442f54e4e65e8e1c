import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { S3StoreOptions } from '../../src/adapters/s3/options.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { type HttpProxy, startHttpProxy } from './http-proxy.ts';
import { openS3Store, type S3Server, startS3Server } from './s3.ts';

export interface ProxiedBucket {
  readonly server: S3Server;
  /** Between `server` and every store that is opened here. */
  readonly proxy: HttpProxy;
  readonly bucket: string;
  /** Disposed after the test. */
  open(options?: Partial<S3StoreOptions>): ObjectStore;
}

/** For a suite: one server, and for each test a new bucket behind a new proxy. */
export function useProxiedBucket(defaults: Partial<S3StoreOptions> = {}): ProxiedBucket {
  let server: S3Server;
  let proxy: HttpProxy;
  let bucket: string;
  const opened: ObjectStore[] = [];

  beforeAll(async () => {
    server = await startS3Server();
  });

  afterAll(() => server[Symbol.asyncDispose]());

  beforeEach(async () => {
    bucket = await server.makeBucket();
    proxy = await startHttpProxy(server.endpoint);
  });

  afterEach(async () => {
    for (const store of opened.splice(0)) await store[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  });

  return {
    get server() {
      return server;
    },
    get proxy() {
      return proxy;
    },
    get bucket() {
      return bucket;
    },
    open(options = {}) {
      const store = openS3Store({ ...server, endpoint: proxy.url }, bucket, { ...defaults, ...options });
      opened.push(store);
      return store;
    },
  };
}
