import type { ClusterFacts, MemberFacts } from '../../src/defrag/facts.ts';
import type { DefragRefusalReason, DefragStep } from '../../src/defrag/plan.ts';
import type { Moment } from './random-clusters.ts';
import { hourMs, now } from './cluster.ts';

/** What makes a step unsafe, said once more and as plainly as can be: every reason that holds, in no order. */
export function reasonsAgainst(step: DefragStep, { policy, facts, request }: Moment): Set<DefragRefusalReason> {
  const voters = facts.members.filter((member) => !member.isLearner);
  const answers = voters.flatMap(({ answer }) => answer ?? []);
  const id = step.member.id;
  const target = voters.find((voter) => voter.id === id);
  const activities = facts.members.map((member) => ({ member, activity: member.activity }));
  const isSnapshotOpen = activities.some(
    ({ member, activity }) =>
      activity.kind === 'seen' &&
      (activity.raftSnapshotsInFlight > 0 || (member.id === id && activity.openSnapshots > 0)),
  );
  const others = voters.filter((voter) => voter.id !== id && keepsUp(voter, facts, policy.maxRaftLag));
  const leads = answers.some(({ leaderId }) => leaderId === id);
  const heir = voters.find((voter) => voter.id === step.moveLeaderTo?.id);
  const isHeirFit =
    heir !== undefined &&
    heir.id !== id &&
    keepsUp(heir, facts, policy.maxRaftLag) &&
    facts.alarms.every(({ memberId, type }) => memberId !== heir.id || type === 'NOSPACE');
  const backupAgeMs = facts.newestBackupAt && now.getTime() - facts.newestBackupAt.getTime();
  const checks: Record<Exclude<DefragRefusalReason, 'unknown-quota'>, boolean> = {
    'single-member': voters.length === 1 && !policy.allowSingleMember,
    'no-leader': facts.noQuorumBecause !== undefined || answers.some(({ leaderId }) => leaderId === 0n),
    'split-view': target === undefined || seesDifferently(voters, facts),
    'unstarted-member': voters.some(({ isUnstarted }) => isUnstarted),
    'unreachable-voter': answers.length < voters.length,
    'corrupt-alarm': facts.alarms.some(({ type }) => type !== 'NOSPACE'),
    'defrag-running': activities.some(({ activity }) => activity.kind === 'seen' && activity.isDefragmenting),
    'lagging-voter': voters.some((voter) => voter.answer !== undefined && !keepsUp(voter, facts, policy.maxRaftLag)),
    'snapshot-open': isSnapshotOpen,
    'activity-unknown': voters.some(({ answer, activity }) => answer !== undefined && activity.kind === 'unknown'),
    'would-break-quorum': voters.length > 1 && others.length * 2 <= voters.length,
    // The releases that random clusters run.
    'unsafe-version':
      !request.acceptUnsafeVersion && !['3.6.16', '3.5.23-k3s1'].includes(target?.answer?.version ?? 'none'),
    'no-successor': policy.moveLeader && voters.length > 1 && leads && !isHeirFit,
    'no-recent-backup':
      policy.requireBackupWithinMs > 0 && (backupAgeMs === undefined || Math.abs(backupAgeMs) > 24 * hourMs),
  };
  return new Set(Object.entries(checks).flatMap(([reason, holds]) => (holds ? [reason as DefragRefusalReason] : [])));
}

function keepsUp({ answer }: MemberFacts, { members }: ClusterFacts, maxLag: number): boolean {
  if (answer === undefined) return false;
  const furthest = members
    .filter(({ isLearner }) => !isLearner)
    .map((voter) => Number(voter.answer?.raftIndex ?? 0n))
    .reduce((a, b) => Math.max(a, b), 0);
  const at = Math.min(Number(answer.raftIndex), Number(answer.raftAppliedIndex));
  return furthest - at <= maxLag;
}

function seesDifferently(voters: readonly MemberFacts[], { members }: ClusterFacts): boolean {
  const ids = members.map(({ id }) => id).filter((id) => id !== 0n);
  const answers = voters.flatMap(({ answer }) => answer ?? []);
  const [first] = answers;
  return (
    new Set(ids).size < ids.length ||
    voters.some(({ id, answer }) => id === 0n && answer !== undefined) ||
    answers.some(({ leaderId, raftTerm }) => leaderId !== first?.leaderId || raftTerm !== first.raftTerm) ||
    answers.some(({ leaderId }) => !voters.some(({ id }) => id === leaderId)) ||
    answers.some(
      ({ knownMemberIds: known }) =>
        known !== undefined && (new Set(known).size !== members.length || !ids.every((id) => known.includes(id))),
    )
  );
}
