import { quotaBytesOf } from '../defrag.ts';
import type { Config } from '../../config/schema.ts';
import { toWardenError, WardenError } from '../../errors/warden-error.ts';
import { readStatus } from '../../jobs/status.ts';
import type { Log } from '../../ports/log.ts';
import type { MemberMeasures, Metrics } from '../../ports/metrics.ts';
import type { ClusterFacts, MemberFacts } from '../../defrag/facts.ts';
import type { Parts } from '../compose.ts';
import { listRepositories } from '../list-repositories.ts';
import type { Knowledge } from './knowledge.ts';

/** A listing of ten thousand backups takes seconds; what takes longer than this hangs. */
const listingLimitMs = 120_000;

/** Each call has a limit of its own, and all members are asked at once. */
const membersLimitMs = 60_000;

/** Lists every repository, and remembers what it told. Rejects only when interrupted. */
export function lookAtRepositories(
  parts: Parts,
  { cluster }: Config,
  knowledge: Knowledge,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  return listRepositories(
    { ...parts, log },
    {
      cluster: cluster.name,
      limitMs: listingLimitMs,
      onListing: ({ name, location, summary, error }) => {
        const hadFailed = knowledge.repositories.get(name)?.failure !== undefined;
        if (error !== undefined) return knowledge.repositoryFailed(name, error, parts.clock.now(), location);
        knowledge.repositoryListed(name, location, summary);
        if (hadFailed) log.info('the repository can be listed again', { repository: name });
      },
    },
    signal,
  );
}

/** Asks every member. Rejects only when interrupted. */
export async function lookAtMembers(
  parts: Parts,
  { cluster }: Config,
  knowledge: Knowledge,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(membersLimitMs)]);
  try {
    const { facts } = await readStatus(parts, quotaBytesOf(cluster), limited);
    if (knowledge.membersFailure !== undefined) log.info('the members can be asked again');
    knowledge.membersSeen(facts);
    parts.measures.membersSeen(facts.members.map((member) => toMeasures(member, facts)));
  } catch (thrown) {
    signal.throwIfAborted();
    const error = limited.aborted ? tooSlow() : toWardenError(thrown);
    log.warn('the members cannot be asked', { code: error.code, reason: error.message });
    noteMembersGone(knowledge, parts.measures, error, parts.clock.now());
  }
}

/** Their sizes are of another time; that they cannot be reached is true now. */
export function noteMembersGone(knowledge: Knowledge, measures: Metrics, error: WardenError, at: Date): void {
  knowledge.membersFailed(error, at);
  measures.membersSeen((knowledge.members?.facts.members ?? []).map(({ name }) => unreachable(name)));
}

function tooSlow(): WardenError {
  return new WardenError('etcd-deadline', `the members did not answer within ${membersLimitMs / 1000} s`);
}

function toMeasures(member: MemberFacts, { alarms }: ClusterFacts): MemberMeasures {
  const { id, name, answer, quota } = member;
  if (answer === undefined) return unreachable(name);
  return {
    name,
    reachable: member.cutOffBecause === undefined,
    isLeader: id !== 0n && answer.leaderId === id,
    dbSizeBytes: answer.dbSizeBytes,
    inUseBytes: answer.inUseBytes,
    quotaBytes: quota.kind === 'limited' ? quota.bytes : undefined,
    alarms: alarms.flatMap(({ memberId, type }) => (memberId === id && type !== 'UNKNOWN' ? [type] : [])),
  };
}

function unreachable(name: string): MemberMeasures {
  return {
    name,
    reachable: false,
    isLeader: false,
    dbSizeBytes: undefined,
    inUseBytes: undefined,
    quotaBytes: undefined,
    alarms: [],
  };
}
