import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { KMS, type KMSClientConfig } from '@aws-sdk/client-kms';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { readAuthorities } from '../s3/certificate-authorities.ts';

export interface KmsConnection {
  readonly region: string;
  /** Where unset: the public endpoint of the region. */
  readonly endpoint?: string | undefined;
  /** PEM file with further certificate authorities to trust. */
  readonly caFile?: string | undefined;
  /** URL of a proxy. Where unset: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment. */
  readonly proxy?: string | undefined;
  /** Where unset: the SDK's standard chain. */
  readonly credentials?: KMSClientConfig['credentials'];
}

/**
 * A call to KMS carries a few hundred bytes: one that takes longer will not get better, and while it is waited for a
 * recovery key that could open the backup is not tried.
 */
const connectMs = 2000;
const requestMs = 3000;
const maxAttempts = 3;

export interface KmsClient extends Disposable {
  readonly kms: KMS;
}

export function createKmsClient(connection: KmsConnection): KmsClient {
  const agents = createAgents(connection);
  const kms = new KMS({
    region: connection.region,
    ...(connection.endpoint !== undefined && { endpoint: connection.endpoint }),
    ...(connection.credentials !== undefined && { credentials: connection.credentials }),
    maxAttempts,
    requestHandler: new NodeHttpHandler({
      ...agents,
      connectionTimeout: connectMs,
      requestTimeout: requestMs,
      throwOnRequestTimeout: true,
    }),
  });
  return {
    kms,
    [Symbol.dispose]() {
      kms.destroy();
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

/** Node's agents reach proxies; the SDK by itself reads none of the proxy variables. */
function createAgents({ caFile, proxy }: KmsConnection): {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
} {
  const { HTTP_PROXY, HTTPS_PROXY, NO_PROXY, http_proxy, https_proxy, no_proxy } = process.env;
  const proxyEnv =
    proxy === undefined
      ? { HTTP_PROXY, HTTPS_PROXY, NO_PROXY, http_proxy, https_proxy, no_proxy }
      : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY, no_proxy };
  return {
    httpAgent: new HttpAgent({ keepAlive: true, proxyEnv }),
    httpsAgent: new HttpsAgent({
      keepAlive: true,
      proxyEnv,
      ...(caFile !== undefined && { ca: readAuthorities(caFile) }),
    }),
  };
}
