import { setTimeout as delay } from 'node:timers/promises';
import { isWardenError, toWardenError } from '../errors/warden-error.ts';
import type { HashKvAnswer } from '../ports/etcd.ts';
import type { SurveyedMember } from './survey-members.ts';

export interface KvHash {
  readonly hash: number;
  readonly revision: bigint;
  readonly compactRevision: bigint;
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
  snapshot: KvHash,
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
export function isOutvoted(answers: readonly LiveHash[], snapshot: KvHash, serving: string): boolean {
  const comparable = answers.filter(({ result }) => result === 'equal' || result === 'differs');
  const votes = new Map([[snapshot.hash, comparable.some(({ member }) => member === serving) ? 0 : 1]]);
  for (const { hash } of comparable) {
    if (hash !== undefined) votes.set(hash, (votes.get(hash) ?? 0) + 1);
  }
  const own = votes.get(snapshot.hash) ?? 0;
  return [...votes.values()].some((count) => count > own);
}

async function compareMember(member: SurveyedMember, snapshot: KvHash, signal: AbortSignal): Promise<LiveHash> {
  const known = { member: member.name, version: member.status?.version ?? '' };
  const unknown = { ...known, hash: undefined, compactRevision: undefined };
  try {
    const answer = await askHash(member, snapshot.revision, signal);
    const { hash, compactRevision } = answer;
    const reason = whyNotComparable(answer, snapshot);
    if (reason !== undefined) return { ...known, result: 'not-comparable', hash, compactRevision, reason };
    const result = hash === snapshot.hash ? 'equal' : 'differs';
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

/** Hashes of one revision still differ where the compaction differs, without any data being wrong. */
function whyNotComparable(answer: HashKvAnswer, snapshot: KvHash): string | undefined {
  if (answer.hashRevision !== undefined && answer.hashRevision !== snapshot.revision) {
    return `hashed revision ${answer.hashRevision}, the snapshot is at ${snapshot.revision}`;
  }
  if (answer.compactRevision !== snapshot.compactRevision) {
    return `compacted at ${answer.compactRevision}, the snapshot at ${snapshot.compactRevision}`;
  }
  // At exactly the compact revision a member answers from a cache that an older compaction made.
  if (snapshot.revision === snapshot.compactRevision) return 'the snapshot is at its compact revision';
  return undefined;
}
