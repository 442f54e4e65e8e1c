import { KMS, type KMSClientConfig } from '@aws-sdk/client-kms';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { createAgents, type Route } from '../aws/agents.ts';

export interface KmsConnection extends Route {
  readonly region: string;
  /** Where unset: the public endpoint of the region. */
  readonly endpoint?: string | undefined;
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
  const { httpAgent, httpsAgent } = agents;
  const kms = new KMS({
    region: connection.region,
    ...(connection.endpoint !== undefined && { endpoint: connection.endpoint }),
    ...(connection.credentials !== undefined && { credentials: connection.credentials }),
    maxAttempts,
    requestHandler: new NodeHttpHandler({
      httpAgent,
      httpsAgent,
      connectionTimeout: connectMs,
      requestTimeout: requestMs,
      throwOnRequestTimeout: true,
    }),
  });
  return {
    kms,
    [Symbol.dispose]() {
      kms.destroy();
      agents[Symbol.dispose]();
    },
  };
}
