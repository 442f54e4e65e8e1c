import type { ClusterFacts, MemberFacts } from './facts.ts';
import { usageOf } from './usage.ts';
import { hasAnswered } from './voters.ts';
import { enumerate, exactPercent, measuredPercent, nameOf, nameOfId, size } from './words.ts';

/**
 * Well below the quota: writes start at once when the alarm is lifted, and at the quota it is raised again. 200 MiB are
 * left of the 2 GiB that etcd allows by default.
 */
const disarmBelowUsage = 0.9;

/** One alarm of one member, as it was read: never all of a kind, never those of all members. */
export interface NospaceAlarm {
  readonly memberId: bigint;
  readonly type: 'NOSPACE';
}

export type DisarmPlan =
  | {
      readonly verdict: 'go';
      /** What to lift, by member id; empty where nothing is raised. */
      readonly alarms: readonly NospaceAlarm[];
      /** Which, and why they may be. */
      readonly reasons: readonly string[];
    }
  | {
      readonly verdict: 'refuse';
      /** Which members stand in the way and why, in a sentence. */
      readonly explanation: string;
    };

type DisarmFacts = Pick<ClusterFacts, 'members' | 'alarms' | 'noQuorumBecause'>;

/**
 * Which NOSPACE alarms may be lifted. By the sizes alone: however a sweep went, a member that is small enough is no
 * obstacle. While any other alarm is raised they all stay.
 */
export function planDisarm({ members, alarms, noQuorumBecause }: DisarmFacts): DisarmPlan {
  const raised = [...new Set(alarms.filter(({ type }) => type === 'NOSPACE').map(({ memberId }) => memberId))]
    // Member 0 stands for all of them.
    .filter((memberId) => memberId !== 0n)
    .sort((a, b) => (a < b ? -1 : 1));
  if (raised.length === 0) return { verdict: 'go', alarms: [], reasons: [] };
  const names = enumerate(raised.map((id) => nameOfId(id, members)));

  const obstacles = members
    .map(describeObstacle)
    .filter((obstacle) => obstacle !== undefined)
    .sort();
  // In 3.4 and 3.5 lifting the last NOSPACE makes a corrupt cluster writable again (server/etcdserver/apply.go).
  const graver = [...new Set(alarms.filter(({ type }) => type !== 'NOSPACE').map(({ type }) => type))];
  if (graver.length > 0) obstacles.unshift(`${enumerate(graver)} is raised as well`);
  if (noQuorumBecause !== undefined) obstacles.unshift(`no linearizable read went through: ${noQuorumBecause}`);
  if (obstacles.length > 0) {
    return { verdict: 'refuse', explanation: `NOSPACE of ${names} stays: ${obstacles.join('; ')}` };
  }
  return {
    verdict: 'go',
    alarms: raised.map((memberId) => ({ memberId, type: 'NOSPACE' })),
    reasons: [`NOSPACE of ${names}: every voter is below ${exactPercent(disarmBelowUsage)} of its quota`],
  };
}

/** A learner applies the same writes and raises the same alarm, but nobody waits for one that is silent. */
function describeObstacle(member: MemberFacts): string | undefined {
  const { quota, isLearner, isUnstarted, unreachableBecause } = member;
  const name = nameOf(member);
  if (!hasAnswered(member)) {
    if (isLearner) return undefined;
    return isUnstarted
      ? `${name} was never started`
      : `${name} did not answer (${unreachableBecause ?? 'no reason is known'})`;
  }
  if (quota.kind === 'unlimited') return undefined;
  if (quota.kind === 'unknown') return isLearner ? undefined : `the quota of ${name} is not known (${quota.reason})`;
  const usage = usageOf(member);
  if (usage !== undefined && usage < disarmBelowUsage) return undefined;
  const taken = `${size(member.answer.dbSizeBytes)} of its quota ${size(quota.bytes)}`;
  return `${name} takes ${taken}, ${measuredPercent(usage ?? 0)}, and has to be below ${exactPercent(disarmBelowUsage)}`;
}
