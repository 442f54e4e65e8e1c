import { GetObjectLegalHoldCommand, GetObjectRetentionCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { isWardenError, toWardenError, type WardenError } from '../../errors/warden-error.ts';
import { throwIfInterrupted } from '../store-layers/interruption.ts';
import type { Bucket } from './bucket.ts';
import type { Target } from './delete-targets.ts';
import { isDeleteMarker } from './errors.ts';

export type LockState =
  /** `until` is undefined for a legal hold, which has no end in sight. */
  | { readonly kind: 'locked'; readonly until: Date | undefined }
  | { readonly kind: 'unlocked' }
  /** Nothing is stored under the name, or a delete marker hides it. */
  | { readonly kind: 'missing'; readonly isHidden: boolean }
  /** This role may not see it. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'failed'; readonly error: WardenError };

/** Whether retention or a legal hold forbids to delete what is stored. Rejects only with `interrupted`. */
export async function findLock(bucket: Bucket, target: Target, signal: AbortSignal): Promise<LockState> {
  try {
    return await lookForLock(bucket, target, signal);
  } catch (error) {
    throwIfInterrupted(signal);
    return { kind: 'failed', error: toWardenError(error) };
  }
}

async function lookForLock(bucket: Bucket, target: Target, signal: AbortSignal): Promise<LockState> {
  const { name } = target;
  const command = new HeadObjectCommand(addressOf(bucket, target));
  try {
    const head = await bucket.ask(
      { operation: 'HeadObject', name },
      (client, options) => client.send(command, options),
      signal,
    );
    const state = stateOf(head.ObjectLockRetainUntilDate, head.ObjectLockLegalHoldStatus);
    if (state.kind === 'locked') return state;
  } catch (error) {
    if (isWardenError(error, 'store-object-missing')) return { kind: 'missing', isHidden: isDeleteMarker(error) };
    if (!isWardenError(error, 'store-access-denied', 'store-refused')) throw error;
    // A version that is a delete marker has nothing to lock.
    if (isDeleteMarker(error)) return { kind: 'unlocked' };
  }
  // HEAD needs the right to read, and leaves out what the role may not see: no word of a lock is no proof.
  return askForLock(bucket, target, signal);
}

async function askForLock(bucket: Bucket, target: Target, signal: AbortSignal): Promise<LockState> {
  const { name } = target;
  const address = addressOf(bucket, target);
  const retention = await unlessDenied(async () => {
    const command = new GetObjectRetentionCommand(address);
    const about = { operation: 'GetObjectRetention', name };
    return (await bucket.ask(about, (client, options) => client.send(command, options), signal)).Retention;
  });
  const hold = await unlessDenied(async () => {
    const command = new GetObjectLegalHoldCommand(address);
    const about = { operation: 'GetObjectLegalHold', name };
    return (await bucket.ask(about, (client, options) => client.send(command, options), signal)).LegalHold;
  });
  const state = stateOf(retention.value?.RetainUntilDate, hold.value?.Status);
  return state.kind === 'unlocked' && (retention.isDenied || hold.isDenied) ? { kind: 'unknown' } : state;
}

/**
 * By the store's clock a lock may last when it has ended by ours. Source: Amazon S3 API reference, RequestTimeTooSkewed: clocks
 * may differ by 15 minutes.
 */
const greatestSkewMs = 15 * 60_000;

function stateOf(until: Date | undefined, legalHold: string | undefined): LockState {
  if (legalHold === 'ON') return { kind: 'locked', until: undefined };
  if (until !== undefined && until.getTime() > Date.now() - greatestSkewMs) return { kind: 'locked', until };
  return { kind: 'unlocked' };
}

/** Stores say in many ways that there is no lock, or that they know none; only a missing right leaves it open. */
async function unlessDenied<T>(
  ask: () => Promise<T | undefined>,
): Promise<{ readonly value: T | undefined; readonly isDenied: boolean }> {
  try {
    return { value: await ask(), isDenied: false };
  } catch (error) {
    if (isWardenError(error, 'store-access-denied')) return { value: undefined, isDenied: true };
    if (isWardenError(error, 'store-object-missing', 'store-refused')) return { value: undefined, isDenied: false };
    throw error;
  }
}

function addressOf(bucket: Bucket, { name, versionId }: Target) {
  return { Bucket: bucket.options.bucket, Key: name, ...(versionId !== undefined && { VersionId: versionId }) };
}
