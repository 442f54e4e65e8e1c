import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { readAuthorities } from './certificate-authorities.ts';
import type { RequestLimits, S3StoreOptions } from './options.ts';

export interface S3Clients extends Disposable {
  /** Gives up when nothing moved on the connection for `idleMs`. */
  readonly brisk: S3Client;
  /** Waits on an open connection for as long as the caller likes: for bodies that are read slowly, and for completion. */
  readonly patient: S3Client;
}

export function createClients(options: S3StoreOptions, limits: RequestLimits): S3Clients {
  const agents = createAgents(options);
  const handler = (socketTimeoutMs: number) =>
    new NodeHttpHandler({
      ...agents,
      connectionTimeout: limits.connectMs,
      requestTimeout: limits.requestMs,
      throwOnRequestTimeout: true,
      // 0 is none; left unset the SDK would choose one of its own.
      socketTimeout: socketTimeoutMs,
    });
  const config = clientConfig(options);
  const brisk = new S3Client({ ...config, requestHandler: handler(limits.idleMs) });
  const patient = new S3Client({ ...config, requestHandler: handler(0) });
  return {
    brisk,
    patient,
    [Symbol.dispose]() {
      brisk.destroy();
      patient.destroy();
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

function clientConfig(options: S3StoreOptions): S3ClientConfig {
  const region = options.region ?? (options.endpoint === undefined ? undefined : 'us-east-1');
  return {
    ...(region !== undefined && { region }),
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    ...(options.forcePathStyle !== undefined && { forcePathStyle: options.forcePathStyle }),
    ...(options.credentials !== undefined && { credentials: options.credentials }),
    // What to try again, and how often, is decided once, above.
    maxAttempts: 1,
    // The adapter computes the checksums that it wants: for many stores the SDK's defaults are too new.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Bodies are buffers that can be sent again; waiting for "100 Continue" would cost a round trip a part.
    expectContinueHeader: false,
  };
}

/** Node's agents reach proxies; the SDK by itself reads none of the proxy variables. */
function createAgents(options: S3StoreOptions): { httpAgent: HttpAgent; httpsAgent: HttpsAgent } {
  const { HTTP_PROXY, HTTPS_PROXY, NO_PROXY, http_proxy, https_proxy, no_proxy } = process.env;
  const proxyEnv =
    options.proxy === undefined
      ? { HTTP_PROXY, HTTPS_PROXY, NO_PROXY, http_proxy, https_proxy, no_proxy }
      : { HTTP_PROXY: options.proxy, HTTPS_PROXY: options.proxy, NO_PROXY, no_proxy };
  return {
    httpAgent: new HttpAgent({ keepAlive: true, proxyEnv }),
    httpsAgent: new HttpsAgent({
      keepAlive: true,
      proxyEnv,
      ...(options.caFile !== undefined && { ca: readAuthorities(options.caFile) }),
    }),
  };
}
