import { setTimeout as delay } from 'node:timers/promises';
import { isWardenError, toWardenError } from '../errors/warden-error.ts';
import type { HashKvAnswer } from '../ports/etcd.ts';
import type { SurveyedMember } from './survey-members.ts';

export interface SnapshotHash {
  readonly hash: number;
  readonly revision: bigint;
  readonly compactRevision: bigint;
  /** The same after a further compaction; undefined where it cannot be told. Without it no such member is compared. */
  readonly hashKvAt?: (compactRevision: bigint) => number | undefined;
}

export interface LiveHash {
  readonly member: string;
  readonly version: string;
  readonly result: 'equal' | 'not-comparable' | 'differs' | 'unreachable';
  readonly hash: number | undefined;
  readonly compactRevision: bigint | undefined;
  readonly reason: string | undefined;
}

/** A follower applies a revision moments after the leader: so often and so long we wait for it. */
const lagRetries = 10;
const lagDelayMs = 200;

/** Asks every live voter for its HashKV at the snapshot's revision and compares it with the snapshot's own. */
export async function compareLiveHash(
  members: readonly SurveyedMember[],
  snapshot: SnapshotHash,
  signal: AbortSignal,
): Promise<LiveHash[]> {
  const live = members.filter((member) => member.status !== undefined && !member.status.isLearner);
  return Promise.all(live.map((member) => compareMember(member, snapshot, signal)));
}

/**
 * Whether the snapshot's own hash is outvoted: more comparable members agree on one other hash than on the snapshot's.
 * Then it was taken from the member that is wrong. The snapshot has the vote of the member that served it, as long as
 * that member has no comparable answer of its own.
 */
export function isOutvoted(answers: readonly LiveHash[], serving: string): boolean {
  const comparable = answers.filter(({ result }) => result === 'equal' || result === 'differs');
  const own = 'equal';
  const votes = new Map([[own, comparable.some(({ member }) => member === serving) ? 0 : 1]]);
  for (const { result, hash, compactRevision } of comparable) {
    const vote = result === 'equal' ? own : `${hash} compacted at ${compactRevision}`;
    votes.set(vote, (votes.get(vote) ?? 0) + 1);
  }
  const ownVotes = votes.get(own) ?? 0;
  return [...votes.values()].some((count) => count > ownVotes);
}

async function compareMember(member: SurveyedMember, snapshot: SnapshotHash, signal: AbortSignal): Promise<LiveHash> {
  const known = { member: member.name, version: member.status?.version ?? '' };
  const unknown = { ...known, hash: undefined, compactRevision: undefined };
  try {
    const answer = await askHash(member, snapshot.revision, signal);
    const { hash, compactRevision } = answer;
    const expected = expectHash(answer, snapshot);
    if ('reason' in expected)
      return { ...known, result: 'not-comparable', hash, compactRevision, reason: expected.reason };
    const result = hash === expected.hash ? 'equal' : 'differs';
    return { ...known, result, hash, compactRevision, reason: undefined };
  } catch (error) {
    signal.throwIfAborted();
    const { code, message: reason } = toWardenError(error);
    if (code === 'etcd-compacted') return { ...unknown, result: 'not-comparable', reason };
    return { ...unknown, result: 'unreachable', reason };
  }
}

async function askHash(member: SurveyedMember, revision: bigint, signal: AbortSignal): Promise<HashKvAnswer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await member.client.hashKv(revision, signal);
    } catch (error) {
      if (attempt === lagRetries || !isWardenError(error, 'etcd-future-revision')) throw error;
      await delay(lagDelayMs, undefined, { signal });
    }
  }
}

/**
 * What the member must have answered, or why that cannot be told: hashes of one revision differ with the compaction,
 * without any data being wrong. A compaction that came after the snapshot can still be reckoned with.
 */
function expectHash(
  answer: HashKvAnswer,
  snapshot: SnapshotHash,
): { readonly hash: number } | { readonly reason: string } {
  if (answer.hashRevision !== undefined && answer.hashRevision !== snapshot.revision) {
    return { reason: `hashed revision ${answer.hashRevision}, the snapshot is at ${snapshot.revision}` };
  }
  if (answer.compactRevision !== snapshot.compactRevision) {
    const hash = snapshot.hashKvAt?.(answer.compactRevision);
    if (hash !== undefined) return { hash };
    return { reason: `compacted at ${answer.compactRevision}, the snapshot at ${snapshot.compactRevision}` };
  }
  // At exactly the compact revision a member answers from a cache that an older compaction made.
  if (snapshot.revision === snapshot.compactRevision) return { reason: 'the snapshot is at its compact revision' };
  return { hash: snapshot.hash };
}
