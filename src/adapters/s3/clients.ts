import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { createAgents } from '../aws/agents.ts';
import type { RequestLimits, S3StoreOptions } from './options.ts';

export interface S3Clients extends Disposable {
  /** Gives up when nothing moved on the connection for `idleMs`. */
  readonly brisk: S3Client;
  /** Waits on an open connection for as long as the caller likes: for bodies that are read slowly, and for completion. */
  readonly patient: S3Client;
}

export function createClients(options: S3StoreOptions, limits: RequestLimits): S3Clients {
  const agents = createAgents(options);
  const { httpAgent, httpsAgent } = agents;
  const handler = (socketTimeoutMs: number) =>
    new NodeHttpHandler({
      httpAgent,
      httpsAgent,
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
      agents[Symbol.dispose]();
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
