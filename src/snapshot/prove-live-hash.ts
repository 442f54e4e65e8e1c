import { setTimeout as delay } from 'node:timers/promises';
import { WardenError } from '../errors/warden-error.ts';
import type { Inspection } from '../inspect/inspection.ts';
import { compareLiveHash, isOutvoted, type LiveHash, type SnapshotHash } from './compare-live-hash.ts';
import type { SurveyedMember } from './survey-members.ts';

/**
 * An interrupted compaction makes hashes differ for a while without any data being wrong (etcd-io/etcd#15919), so only
 * a difference that is still there after so long is believed.
 */
export const recheckDelayMs = 60_000;

/**
 * Compares the snapshot with the live members. Rejects with `snapshot-hash-differs` if the member that served it is
 * outvoted by the others twice; a lasting difference that does not speak against the snapshot is in the answers.
 */
export async function proveLiveHash(
  members: readonly SurveyedMember[],
  { kvHash, hashKvAt }: Pick<Inspection, 'kvHash'> & Pick<SnapshotHash, 'hashKvAt'>,
  serving: string,
  signal: AbortSignal,
): Promise<LiveHash[]> {
  if (kvHash === undefined) return [];
  const snapshot: SnapshotHash = { ...kvHash, ...(hashKvAt !== undefined && { hashKvAt }) };
  let answers = await compareLiveHash(members, snapshot, signal);
  if (answers.some(({ result }) => result === 'differs')) {
    await delay(recheckDelayMs, undefined, { signal });
    answers = await compareLiveHash(members, snapshot, signal);
  }
  if (!isOutvoted(answers, serving)) return answers;
  const hashes = answers.map(({ member, version, hash }) => `${member} (${version}): ${hash?.toString(16) ?? 'none'}`);
  throw new WardenError(
    'snapshot-hash-differs',
    `at revision ${kvHash.revision} the snapshot of ${serving} has HashKV ${kvHash.hash.toString(16)}, the members: ${hashes.join(', ')}`,
    { details: { member: serving, revision: kvHash.revision.toString(), hashes } },
  );
}
