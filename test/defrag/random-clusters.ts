import fc from 'fast-check';
import type { Activity, ClusterFacts, MemberFacts, PastDefrag, Quota } from '../../src/defrag/facts.ts';
import type { DefragPolicy } from '../../src/defrag/policy.ts';
import type { DefragRequest } from '../../src/defrag/request.ts';
import { defaults, GiB, hourMs, idOf, member, MiB, now, plain, type Changes } from './cluster.ts';

/**
 * Random clusters, dense enough that every rule and refusal happens often, and healthy often enough that something is
 * done. Numbers are drawn and read bit by bit: so a hundred thousand take seconds and a failure still shrinks, because 0
 * is what is plain everywhere.
 */

export interface Moment {
  readonly policy: DefragPolicy;
  readonly facts: ClusterFacts;
  readonly request: DefragRequest;
}

type Parts = (limit: number) => number;

/** Reads a number as small parts, from its lowest bits. */
function parts(drawn: number): Parts {
  let rest = drawn;
  return (limit) => {
    const part = rest % limit;
    rest = Math.floor(rest / limit);
    return part;
  };
}

function pick<Value>(values: readonly [Value, ...Value[]], index: number): Value {
  return values[index % values.length] ?? values[0];
}

/** Once in `limit` times, and never in the plainest of all. */
const rarely = (part: Parts, limit: number) => part(limit) === limit - 1;

const draw = fc.maxSafeNat();

export const anyMoment: fc.Arbitrary<Moment> = fc
  .tuple(draw, draw, fc.array(draw, { minLength: 1, maxLength: 6 }))
  .map(([drawn, cluster, members]) => {
    const facts = readFacts(parts(cluster), members.map(parts));
    return { policy: readPolicy(parts(drawn)), facts, request: readRequest(parts(Math.floor(drawn / 2 ** 25)), facts) };
  });

function readPolicy(part: Parts): DefragPolicy {
  return {
    rules: pick(
      [
        defaults.rules,
        [{ fragmentationAbove: 0.4 }],
        [{ usageAbove: 0.7 }],
        [{ reclaimableAbove: { fractionOfQuota: 0.05 } }, { dbSizeAboveBytes: 7 * GiB }],
      ],
      part(4),
    ),
    minReclaimBytes: pick([32 * MiB, 0, GiB], part(3)),
    emergencyUsage: 0.9,
    cooldownMs: pick([6 * hourMs, 0], part(2)),
    moveLeader: part(3) < 2,
    maxRaftLag: pick([1000, 0], part(2)),
    allowSingleMember: part(2) === 1,
    requireBackupWithinMs: pick([0, 0, 24 * hourMs], part(3)),
  };
}

function readRequest(part: Parts, { members }: ClusterFacts): DefragRequest {
  return {
    ...plain,
    only: rarely(part, 6) ? `etcd-${part(3)}` : undefined,
    forceRule: rarely(part, 5),
    acceptUnsafeVersion: rarely(part, 4),
    done: new Set(part(3) === 2 ? members.filter(() => rarely(part, 3)).map(({ id }) => id) : []),
  };
}

function readFacts(part: Parts, members: readonly Parts[]): ClusterFacts {
  // Two of three clusters are healthy; where one is not, each fault is still rare.
  const isFaulty = part(3) === 2;
  const leaderId = idOf(part(members.length));
  const voters = members.length - (members.length > 3 ? part(3) : 0);
  const ids = members.map((_, index) => idOf(index));
  const common: Changes = { leaderId, knownMemberIds: ids };
  const alarms = members.flatMap((_, index) => {
    const isRaised = part(5) === 4;
    const type = isFaulty ? pick(['NOSPACE', 'NOSPACE', 'NOSPACE', 'CORRUPT', 'UNKNOWN'], part(5)) : 'NOSPACE';
    return isRaised ? [{ memberId: idOf(index), type: type as 'NOSPACE' | 'CORRUPT' | 'UNKNOWN' }] : [];
  });
  return {
    now,
    members: members.map((next, index) => {
      const isLearner = index >= voters && leaderId !== idOf(index);
      const fault = isFaulty && rarely(next, 3) ? readFault(next, ids) : {};
      return member(index, { ...common, ...readMember(next, index), isLearner, ...fault });
    }),
    alarms,
    noQuorumBecause: isFaulty && rarely(part, 8) ? 'no answer' : undefined,
    newestBackupAt: pick([new Date(now.getTime() - hourMs), new Date(now.getTime() - 48 * hourMs), undefined], part(3)),
  };
}

function readMember(part: Parts, index: number): Changes {
  const dbSizeBytes = pick([GiB, 7.5 * GiB, 200 * MiB, 6.2 * GiB, 7.99 * GiB], part(5));
  const inUse = pick([0.25, 0.9, 1, 0.5, 0.999, 1.001], part(6));
  return {
    name: rarely(part, 9) ? `member ${part(2)}` : `etcd-${index}`,
    dbSizeBytes,
    inUseBytes: rarely(part, 30) ? 0 : Math.floor(inUse * dbSizeBytes),
    raftAppliedIndex: 1_000_000n - BigInt(part(3) === 2 ? part(2) : 0),
    quota: readQuota(part),
    lastDefrag: rarely(part, 4) ? readPast(part) : undefined,
    version: pick(['3.6.16', '3.6.16', '3.5.23-k3s1', '3.5.22'], part(4)),
    activity: rarely(part, 9) ? { kind: 'not-asked' } : readActivity(part, 12),
  };
}

function readQuota(part: Parts): Quota {
  const limited: Quota = { kind: 'limited', bytes: 8 * GiB, source: 'status' };
  return pick(
    [
      limited,
      limited,
      limited,
      limited,
      { kind: 'unlimited', source: 'status' },
      { kind: 'unknown', reason: 'HTTP 404' },
    ],
    part(6),
  );
}

function readPast(part: Parts): PastDefrag {
  const agoMs = pick([hourMs / 2, 3 * hourMs, 8 * hourMs, -hourMs, 400 * hourMs], part(5));
  return { at: new Date(now.getTime() - agoMs), beforeBytes: GiB, afterBytes: GiB, failures: part(3) };
}

function readActivity(part: Parts, rarity: number): Activity {
  const openSnapshots = rarely(part, rarity) ? 1 : 0;
  return { kind: 'seen', openSnapshots, raftSnapshotsInFlight: 0, isDefragmenting: false };
}

function readFault(part: Parts, ids: readonly bigint[]): Changes {
  return pick<Changes>(
    [
      { silent: 'connection refused' },
      { isUnstarted: true },
      { leaderId: 0n },
      { leaderId: idOf(part(ids.length)) },
      { raftTerm: 8n },
      { raftIndex: 900_000n },
      { raftAppliedIndex: 999_500n },
      { knownMemberIds: ids.slice(1) },
      { knownMemberIds: [...ids, 0xffn] },
      { knownMemberIds: undefined },
      { id: 0n, silent: 'connection refused' },
      { id: idOf(part(ids.length)) },
      { activity: { kind: 'seen', openSnapshots: 2, raftSnapshotsInFlight: 0, isDefragmenting: false } },
      { activity: { kind: 'seen', openSnapshots: 0, raftSnapshotsInFlight: 1, isDefragmenting: false } },
      { activity: { kind: 'seen', openSnapshots: 0, raftSnapshotsInFlight: 0, isDefragmenting: true } },
      { activity: { kind: 'unknown', reason: 'HTTP 404' } },
      { activity: { kind: 'unknown', reason: 'connection refused' } },
      { version: 'none' },
    ],
    part(18),
  );
}

/** Something goes wrong with one member, or with all of them. */
export interface Fault {
  readonly name: string;
  readonly strike: (facts: ClusterFacts, policy: DefragPolicy, index: number) => ClusterFacts;
}

const toOne =
  (change: (hit: MemberFacts, policy: DefragPolicy) => Partial<MemberFacts>): Fault['strike'] =>
  (facts, policy, index) => {
    const hit = facts.members[index % facts.members.length];
    const members = facts.members.map((one) => (one === hit ? { ...one, ...change(one, policy) } : one));
    return { ...facts, members };
  };

const toAnswer = (change: (answer: NonNullable<MemberFacts['answer']>, policy: DefragPolicy) => object) =>
  toOne(({ answer }, policy) => ({ answer: answer && { ...answer, ...change(answer, policy) } }));

/** One that cannot be looked at stays so: to see it after all would take a fault away. */
const toActivity = (change: Partial<Extract<Activity, { kind: 'seen' }>>) =>
  toOne(({ activity }) => {
    if (activity.kind === 'unknown') return {};
    const nothing = { openSnapshots: 0, raftSnapshotsInFlight: 0, isDefragmenting: false };
    return { activity: { ...nothing, ...activity, ...change, kind: 'seen' } };
  });

const alarm =
  (type: 'CORRUPT' | 'UNKNOWN'): Fault['strike'] =>
  (facts, _policy, index) => {
    const memberId = facts.members[index % facts.members.length]?.id ?? 1n;
    return { ...facts, alarms: [...facts.alarms, { memberId, type }] };
  };

export const faults: readonly Fault[] = [
  { name: 'a member goes silent', strike: toOne(() => ({ answer: undefined, unreachableBecause: 'refused' })) },
  { name: 'a member loses its leader', strike: toAnswer(() => ({ leaderId: 0n })) },
  { name: 'a member follows a stranger', strike: toAnswer(() => ({ leaderId: 0xfen })) },
  { name: 'a member is in another term', strike: toAnswer(({ raftTerm }) => ({ raftTerm: raftTerm + 1n })) },
  {
    name: 'a member knows of two more',
    strike: toAnswer(({ knownMemberIds = [] }) => ({ knownMemberIds: [...knownMemberIds, 0xfdn, 0xfcn] })),
  },
  {
    name: 'a member falls behind',
    strike: toAnswer(({ raftAppliedIndex }, { maxRaftLag }) => ({
      raftAppliedIndex: raftAppliedIndex - BigInt(maxRaftLag) - 1n,
    })),
  },
  { name: 'a member runs an old release', strike: toAnswer(() => ({ version: '3.4.3' })) },
  { name: 'somebody streams a snapshot', strike: toActivity({ openSnapshots: 3 }) },
  { name: 'a raft snapshot is sent', strike: toActivity({ raftSnapshotsInFlight: 1 }) },
  { name: 'somebody defragments', strike: toActivity({ isDefragmenting: true }) },
  {
    name: 'a member cannot be looked at',
    // One that is seen to do harm is not made better by looking away, so that this replaces what is harmless only.
    strike: toOne(({ activity }) =>
      activity.kind === 'seen' && (activity.raftSnapshotsInFlight > 0 || activity.isDefragmenting)
        ? {}
        : { activity: { kind: 'unknown', reason: 'HTTP 500' } },
    ),
  },
  { name: 'a member is corrupt', strike: alarm('CORRUPT') },
  { name: 'a strange alarm is raised', strike: alarm('UNKNOWN') },
  { name: 'the majority is lost', strike: (facts) => ({ ...facts, noQuorumBecause: 'no answer' }) },
  { name: 'backups are lost', strike: (facts) => ({ ...facts, newestBackupAt: undefined }) },
  {
    name: 'a member is added',
    strike: (facts) => ({ ...facts, members: [...facts.members, member(8, { isUnstarted: true, name: '' })] }),
  },
];
