import { quotaBytesOf } from '../defrag.ts';
import type { Config } from '../../config/schema.ts';
import { toWardenError, WardenError } from '../../errors/warden-error.ts';
import { readStatus } from '../../jobs/status.ts';
import type { Log } from '../../ports/log.ts';
import type { MemberMeasures } from '../../ports/metrics.ts';
import type { ClusterFacts, MemberFacts } from '../../defrag/facts.ts';
import { readCatalogue } from '../../repository/catalogue.ts';
import type { Parts } from '../compose.ts';
import type { Knowledge } from './knowledge.ts';
import { summarizeCatalogue } from './summarize-catalogue.ts';

/** A listing of ten thousand backups takes seconds; what takes longer than this hangs. */
const listingLimitMs = 120_000;

/** Lists every repository. What one of them cannot tell does not hide the others. Rejects only when interrupted. */
export async function lookAtRepositories(
  parts: Parts,
  { cluster }: Config,
  knowledge: Knowledge,
  log: Log,
  signal: AbortSignal,
  limitMs = listingLimitMs,
): Promise<void> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  await Promise.all(
    parts.repositories.map(async ({ name, store }) => {
      const before = knowledge.repositories.get(name);
      const location = store.description;
      try {
        const { entries } = await readCatalogue(store, cluster.name, undefined, limited);
        const summary = summarizeCatalogue(name, entries, parts.clock.now());
        knowledge.repositories.set(name, { location, summary, error: undefined });
        parts.measures.repositoryListed(name, summary.facts);
        if (before?.error !== undefined) log.info('the repository can be listed again', { repository: name });
      } catch (thrown) {
        signal.throwIfAborted();
        const error = limited.aborted ? tooSlow(name, limitMs) : toWardenError(thrown);
        knowledge.repositories.set(name, { location, summary: before?.summary, error });
        log.warn('the repository cannot be listed', { repository: name, code: error.code, reason: error.message });
      }
    }),
  );
}

/** In its own words: the store knows only that it was told to stop. */
function tooSlow(repository: string, limitMs: number): WardenError {
  return new WardenError('store-timeout', `the listing of ${repository} did not end within ${limitMs / 1000} s`);
}

/** Asks every member. Rejects only when interrupted. */
export async function lookAtMembers(
  parts: Parts,
  { cluster }: Config,
  knowledge: Knowledge,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { facts } = await readStatus(parts, quotaBytesOf(cluster), signal);
    if (knowledge.membersError !== undefined) log.info('the members can be asked again');
    knowledge.members = { seenAt: facts.now, facts };
    knowledge.membersError = undefined;
    parts.measures.membersSeen(facts.members.map((member) => toMeasures(member, facts)));
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toWardenError(thrown);
    knowledge.membersError = error;
    log.warn('the members cannot be asked', { code: error.code, reason: error.message });
    // Their sizes are of another time; that they cannot be reached is true now.
    const gone = (knowledge.members?.facts.members ?? []).map(({ name }) => unreachable(name));
    parts.measures.membersSeen(gone);
  }
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
