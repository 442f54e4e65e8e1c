import { describeHarm } from './etcd-version.ts';
import type { Look } from './look.ts';
import { isFitToLead } from './successor.ts';
import { isCaughtUp, isLeader, majorityOf, votersOf } from './voters.ts';
import { exactDuration, nameOf, roughDuration } from './words.ts';

/** Not counting this member, those that are left must be able to decide. A single member has a look of its own. */
const lookForQuorum: Look = ({ step, facts, policy }) => {
  const voters = votersOf(facts);
  if (voters.length === 1 && voters[0]?.id === step.member.id) return undefined;
  const serving = voters.filter(({ id }) => id !== step.member.id);
  const wanted = majorityOf(facts);
  const left = serving.filter((voter) => isCaughtUp(voter, facts, policy));
  if (left.length >= wanted) return undefined;
  return {
    because: 'would-break-quorum',
    explanation: `without ${nameOf(step.member)} ${left.length} of ${voters.length} voters would serve and be caught up, and ${wanted} are needed for a majority`,
  };
};

const lookForSafeVersion: Look = ({ step, facts, request }) => {
  const version = facts.members.find(({ id }) => id === step.member.id)?.answer?.version ?? '';
  const harm = describeHarm(version);
  if (harm === undefined || request.acceptUnsafeVersion) return undefined;
  return { because: 'unsafe-version', explanation: `etcd ${version} of ${nameOf(step.member)} ${harm}` };
};

/** The leader is asked by its votes, not by its step: leadership may have moved since. */
const lookForSuccessor: Look = ({ step, facts, policy }) => {
  const voters = votersOf(facts);
  if (!policy.moveLeader || voters.length === 1 || !isLeader(step.member, facts)) return undefined;
  const successor = voters.find(({ id }) => id === step.moveLeaderTo?.id);
  const isFit = successor !== undefined && successor.id !== step.member.id && isFitToLead(successor, facts, policy);
  if (isFit) return undefined;
  return {
    because: 'no-successor',
    explanation: `leadership of ${nameOf(step.member)} has to be moved first, and ${successor === undefined ? 'no other voter is' : `${nameOf(successor)} is not`} fit to take over`,
  };
};

const lookForBackup: Look = ({ facts, policy }) => {
  const { newestBackupAt, now } = facts;
  const { requireBackupWithinMs: limitMs } = policy;
  if (limitMs <= 0) return undefined;
  const wanted = `requireBackupWithin ${exactDuration(limitMs)} demands a backup`;
  if (newestBackupAt === undefined) return { because: 'no-recent-backup', explanation: `${wanted}, and there is none` };
  // Either way round: one from far ahead tells as little as one from long ago.
  const agoMs = now.getTime() - newestBackupAt.getTime();
  if (Math.abs(agoMs) <= limitMs) return undefined;
  const found = agoMs > 0 ? `${roughDuration(agoMs)} old` : `dated ${roughDuration(-agoMs)} ahead of the clock here`;
  return { because: 'no-recent-backup', explanation: `${wanted}, and the newest one is ${found}` };
};

/** What would make it unsafe to take out this one. */
export const lookAtMember: readonly Look[] = [lookForQuorum, lookForSafeVersion, lookForSuccessor, lookForBackup];
