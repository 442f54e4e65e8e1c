import type { S3ClientConfig } from '@aws-sdk/client-s3';
import type { WardenError } from '../../errors/warden-error.ts';
import type { Route } from '../aws/agents.ts';
import type { Retry } from '../store-layers/retry.ts';

export interface S3StoreOptions extends Route {
  readonly bucket: string;
  /** Where in the bucket the store begins. Slashes at its ends, and doubled ones, mean nothing. Empty: the whole bucket. */
  readonly prefix: string;
  /** Where unset: what the AWS SDK finds in environment and profile; `us-east-1` for an endpoint of one's own. */
  readonly region?: string | undefined;
  /** URL of a store that is not AWS. */
  readonly endpoint?: string | undefined;
  readonly forcePathStyle?: boolean | undefined;
  readonly partSizeBytes: number | 'auto';
  /** Parts of one upload that may be on their way at a time. */
  readonly concurrency: number;
  readonly storageClass?: string | undefined;
  readonly serverSideEncryption?: ServerSideEncryption | undefined;
  /** `when-required`: Content-MD5 instead of checksum headers, for stores that refuse those. */
  readonly checksums: 'when-supported' | 'when-required';
  readonly objectLock?: ObjectLock | undefined;
  /** Where unset: the SDK's standard chain. */
  readonly credentials?: S3ClientConfig['credentials'];
  readonly limits?: RequestLimits | undefined;
  /** How requests inside an upload are tried again; by default they are not. */
  readonly retry?: Retry | undefined;
  /** Told of what an aborted upload could not clean up after itself. */
  readonly onLeftover?: ((error: WardenError) => void) | undefined;
}

export interface ServerSideEncryption {
  readonly type: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  readonly kmsKeyId?: string | undefined;
}

export interface ObjectLock {
  readonly mode: 'governance' | 'compliance';
  /** From the moment of the upload on. */
  readonly retainMs: number;
}

export interface RequestLimits {
  /** Until the connection stands. */
  readonly connectMs: number;
  /** Without a byte in either direction. Time in which nobody reads a body is not counted. */
  readonly idleMs: number;
  /** Until the answer's headers are there. */
  readonly requestMs: number;
  /** Until an upload is completed: some stores copy the parts together before they answer. */
  readonly completeMs: number;
  /** For clearing away an aborted upload: it must fit in the grace period of a pod that is being stopped. */
  readonly cleanupMs: number;
}

export const defaultLimits: RequestLimits = {
  connectMs: 5000,
  idleMs: 30_000,
  requestMs: 300_000,
  completeMs: 600_000,
  cleanupMs: 15_000,
};
