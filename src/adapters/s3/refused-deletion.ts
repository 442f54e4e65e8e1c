import { isWardenError, WardenError } from '../../errors/warden-error.ts';
import type { RemovalOutcome } from '../../ports/object-store.ts';
import type { Bucket } from './bucket.ts';
import type { Target } from './delete-targets.ts';
import { findLock, type LockState } from './object-locks.ts';

export interface Refusal {
  readonly target: Target;
  readonly error: WardenError;
}

/**
 * What a refusal comes to. S3 says "access denied" both where a lock forbids a deletion for everybody and where the role
 * lacks `right`; what is stored tells which. Governance mode is a lock like any other: it is never bypassed.
 */
export async function explainRefusal(
  bucket: Bucket,
  { target, error }: Refusal,
  right: string,
  signal: AbortSignal,
): Promise<Exclude<RemovalOutcome, { kind: 'removed' }>> {
  if (!isWardenError(error, 'store-access-denied', 'store-refused')) return { kind: 'failed', error };
  const lock = await findLock(bucket, target, signal);
  if (lock.kind === 'locked' || lock.kind === 'failed') return lock;
  // A default of the bucket may lock what has no lock of its own to be seen.
  if (error.details['isLocked'] === true) return { kind: 'locked', until: undefined };
  return { kind: 'failed', error: error.code === 'store-access-denied' ? lacksRight(error, right, lock) : error };
}

function lacksRight(denial: WardenError, right: string, lock: Exclude<LockState, { kind: 'failed' }>): WardenError {
  const doubt =
    lock.kind === 'unknown'
      ? ', or it is locked and the role lacks s3:GetObjectRetention and s3:GetObjectLegalHold, which would tell'
      : '';
  return new WardenError('store-access-denied', `${denial.message}: the role lacks ${right}${doubt}`, {
    cause: denial,
    details: denial.details,
  });
}
