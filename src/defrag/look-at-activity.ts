import type { MemberFacts } from './facts.ts';
import type { Look } from './look.ts';
import { answeringVoters } from './voters.ts';
import { enumerate, nameOf } from './words.ts';

/**
 * A defragmentation of a member with an open stream blocks it until the stream ends; one that meets a raft snapshot
 * corrupted data in older releases, and takes a member out while another one is being brought back.
 */
const lookForSnapshots: Look = ({ step, facts }) => {
  const open = openSnapshotsOf(facts.members.find(({ id }) => id === step.member.id));
  const sending = facts.members.filter(
    ({ activity }) => activity.kind === 'seen' && activity.raftSnapshotsInFlight > 0,
  );
  if (open === 0 && sending.length === 0) return undefined;
  const found = [
    ...(open > 0 ? [`${open} open from ${nameOf(step.member)}`] : []),
    ...(sending.length > 0 ? [`raft snapshots on their way from ${enumerate(sending.map(nameOf))}`] : []),
  ];
  return { because: 'snapshot-open', explanation: `snapshot streams: ${found.join('; ')}` };
};

function openSnapshotsOf(member: MemberFacts | undefined): number {
  return member?.activity.kind === 'seen' ? member.activity.openSnapshots : 0;
}

/** Of every voter: a defragmentation or a raft snapshot that is not seen is no less harmful. */
const lookForBlindSpots: Look = ({ facts }) => {
  const unseen = answeringVoters(facts).flatMap((voter) =>
    voter.activity.kind === 'unknown' ? [`${nameOf(voter)} (${voter.activity.reason})`] : [],
  );
  if (unseen.length === 0) return undefined;
  return {
    because: 'activity-unknown',
    explanation: `whether a snapshot or another defragmentation runs cannot be seen of ${enumerate(unseen)}: set cluster.metrics to where the members serve /metrics, or to off to go on without looking`,
  };
};

/** What else goes on that must not meet a defragmentation. */
export const lookAtActivity: readonly Look[] = [lookForSnapshots, lookForBlindSpots];
