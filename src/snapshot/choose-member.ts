import type { MemberStatus } from '../ports/etcd.ts';

/** What is known of a member before a snapshot is asked of it. */
export interface MemberFacts {
  readonly name: string;
  readonly status: MemberStatus | undefined;
  /** Why there is no status. */
  readonly unreachable: string | undefined;
  readonly hasCorruptAlarm: boolean;
}

export type Preference = 'follower' | 'leader' | 'any';

export interface MemberChoice<T extends MemberFacts> {
  /** In the order in which they are tried. */
  readonly candidates: readonly T[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Which members may serve a snapshot, best first: voters without a CORRUPT alarm that have applied `readRevision`
 * (when it is known), the preferred role before the other, the furthest along first.
 * A leader is only ever second choice by default, because every write goes through it.
 */
export function chooseMembers<T extends MemberFacts>(
  members: readonly T[],
  readRevision: bigint | undefined,
  prefer: Preference,
): MemberChoice<T> {
  const skipped: { name: string; reason: string }[] = [];
  const candidates = members.filter((member) => {
    const reason = reasonToSkip(member, readRevision);
    if (reason !== undefined) skipped.push({ name: member.name, reason });
    return reason === undefined;
  });
  return { candidates: candidates.sort((a, b) => compareMembers(a, b, prefer)), skipped };
}

function reasonToSkip(member: MemberFacts, readRevision: bigint | undefined): string | undefined {
  if (member.status === undefined) return member.unreachable ?? 'unreachable';
  if (member.status.isLearner) return 'a learner';
  if (member.hasCorruptAlarm) return 'has the alarm CORRUPT';
  if (readRevision !== undefined && member.status.revision < readRevision) {
    return `has applied revision ${member.status.revision}, the cluster is at ${readRevision}`;
  }
  return undefined;
}

function compareMembers(a: MemberFacts, b: MemberFacts, prefer: Preference): number {
  if (prefer !== 'any' && isLeader(a) !== isLeader(b)) return isLeader(a) === (prefer === 'leader') ? -1 : 1;
  const applied = (member: MemberFacts): bigint => member.status?.raftAppliedIndex ?? 0n;
  if (applied(a) === applied(b)) return 0;
  return applied(a) > applied(b) ? -1 : 1;
}

export function isLeader(member: MemberFacts): boolean {
  return member.status !== undefined && member.status.leaderId === member.status.memberId;
}
