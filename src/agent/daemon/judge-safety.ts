import { formatAge, formatDuration, formatTime } from '../../format.ts';
import { isOverdue, usualAgeSeconds } from '../overdue.ts';
import type { JobFailure, MembersState, Problem, RefusedReload, RepositoryState, Verdict } from '../agent-status.ts';
import { judgeOutdated } from './judge-outdated.ts';
import { danger, isDanger, warning } from './problem.ts';

/** What the verdict hangs on. */
export interface SafetyFacts {
  readonly now: Date;
  readonly repositories: readonly RepositoryState[];
  readonly members: MembersState;
  readonly noQuorumBecause: string | undefined;
  readonly refusedReload: RefusedReload | undefined;
  readonly failures: readonly JobFailure[];
  /** How long ago the newest backup that was read back may have been taken, in seconds; undefined where nothing says so. */
  readonly verifiedAgeLimitSeconds: number | undefined;
  /** Before that nothing could be read back by this agent. */
  readonly startedAt: Date;
  /** When this agent takes its next backup; undefined where it takes none. */
  readonly nextBackupAt: Date | undefined;
}

export interface Safety {
  readonly verdict: Verdict;
  /** Worst first. */
  readonly problems: readonly Problem[];
}

/** etcd refuses writes at 100 %. */
const alarmingUsage = 0.9;

/** Is it safe now? One sentence, and everything that speaks against it. */
export function judgeSafety(facts: SafetyFacts): Safety {
  const outdated = judgeOutdated(facts.repositories, facts.members);
  const problems = [
    ...outdated,
    ...judgeBackups(facts),
    ...judgeProofs(facts),
    ...judgeMembers(facts),
    ...(facts.refusedReload === undefined ? [] : [judgeReload(facts.refusedReload)]),
    ...facts.failures.map(toProblem),
  ];
  const sorted = [...problems.filter(isDanger), ...problems.filter((problem) => !isDanger(problem))];
  const { level, sentence } = toVerdict(facts, sorted);
  // Whatever is said of backups and members was seen then.
  const [caveat] = outdated.map(({ text }) => text);
  const isSaid = caveat === undefined || sentence.includes(caveat);
  return { verdict: { level, sentence: isSaid ? sentence : `${sentence} ${caveat}` }, problems: sorted };
}

function toVerdict(facts: SafetyFacts, problems: readonly Problem[]): Verdict {
  const { repositories, now, nextBackupAt } = facts;
  const [worst] = problems;
  if (worst !== undefined && isDanger(worst)) return { level: 'danger', sentence: worst.text };
  if (repositories.some(({ listedAt, error }) => listedAt === undefined && error === undefined)) {
    return { level: 'unknown', sentence: 'Not everything is known yet: the first look is under way.' };
  }
  const newest = newestOf(repositories);
  if (newest === undefined) {
    const due = nextBackupAt === undefined ? '' : `; the first is due ${describeDue(nextBackupAt, now)}`;
    return { level: 'unknown', sentence: `There is no backup yet${due}.` };
  }
  const age = ageOf(newest, now);
  if (worst === undefined) {
    return { level: 'safe', sentence: `Every repository holds a recent backup; the newest is ${age} old.` };
  }
  const sentence = `The newest backup${thatWasSeen(repositories)} is ${age} old, but something needs a look: ${worst.text}`;
  return { level: 'warning', sentence };
}

function judgeBackups({ repositories, now, nextBackupAt, failures }: SafetyFacts): Problem[] {
  const newest = newestOf(repositories);
  const problems = repositories.flatMap((repository) => [
    ...judgeRepository(repository, now),
    // Where no repository holds one, that is said of all of them.
    ...(newest !== undefined && isEmpty(repository)
      ? [warning(`repository ${repository.name} holds no backup.`, seeLog)]
      : []),
  ]);
  const isKnown = repositories.some(({ listedAt }) => listedAt !== undefined);
  if (!isKnown) return problems.length === 0 ? [] : [danger('no repository can be listed.', ''), ...problems];
  if (repositories.some((repository) => !isOverdue(repository, now))) return problems;
  if (newest !== undefined) {
    const text = `the newest backup${thatWasSeen(repositories)} is ${ageOf(newest, now)} old, in every repository.`;
    return [danger(text, seeLog), ...problems];
  }
  // A new installation has none until the first is due.
  if (nextBackupAt !== undefined && !failures.some(({ job }) => job === 'backup')) return problems;
  const hint = failures.length > 0 ? seeLog : 'Take one: `etcd-warden backup`.';
  return [danger('no repository holds a backup.', hint), ...problems];
}

const seeLog = 'The last errors below and the log say why none was taken.';

function judgeRepository(repository: RepositoryState, now: Date): Problem[] {
  const { name, error, isOutdated, newest, backups, expectedAgeSeconds = usualAgeSeconds } = repository;
  const problems: Problem[] = [];
  if (error !== undefined && !isOutdated) {
    problems.push(warning(`repository ${name} cannot be listed: ${error.message}.`, error.hint));
  }
  if (newest !== undefined && isOverdue(repository, now)) {
    const expected = formatDuration(expectedAgeSeconds * 1000);
    problems.push(
      warning(
        `the newest backup in ${name} is ${formatAge(newest.takenAt, now)} old, one is due every ${expected}.`,
        seeLog,
      ),
    );
  }
  if (backups.damaged > 0) {
    const hint = '`etcd-warden list --check` names them; they are never chosen or counted.';
    problems.push(warning(`repository ${name} holds ${backups.damaged} damaged backups.`, hint));
  }
  return problems;
}

function isEmpty({ listedAt, newest }: RepositoryState): boolean {
  return listedAt !== undefined && newest === undefined;
}

/** A backup is proved when it is taken; whether the store kept it so is known only by reading it back. */
function judgeProofs({ repositories, now, startedAt, verifiedAgeLimitSeconds: limitSeconds }: SafetyFacts): Problem[] {
  if (limitSeconds === undefined) return [];
  const isOver = (since: Date): boolean => now.getTime() - since.getTime() > limitSeconds * 1000;
  return repositories.flatMap(({ name, newest, newestVerified }) => {
    if (newest === undefined || !isOver(newestVerified?.takenAt ?? startedAt)) return [];
    const hint = 'The last errors and the log say why; `etcd-warden verify latest` does it now.';
    const age =
      newestVerified === undefined ? 'none' : `none that is younger than ${ageOf(newestVerified.takenAt, now)}`;
    return [warning(`of the backups in ${name} ${age} was read back.`, hint)];
  });
}

function judgeMembers({ members: { members, error, isOutdated, seenAt }, noQuorumBecause }: SafetyFacts): Problem[] {
  if (error !== undefined && isOutdated) return [];
  if (error !== undefined) return [danger(`etcd cannot be asked: ${error.message}.`, error.hint)];
  if (seenAt === undefined) return [];
  const problems: Problem[] = [];
  if (noQuorumBecause !== undefined) {
    problems.push(
      danger(`etcd has no quorum: ${noQuorumBecause}.`, 'Backups go on from whoever answers; look at the members.'),
    );
  }
  for (const { name, alarms, trouble, dbSizeBytes, quotaBytes } of members) {
    if (alarms.includes('CORRUPT')) problems.push(danger(`member ${name} raised CORRUPT.`, 'See docs/corruption.md.'));
    if (alarms.includes('NOSPACE')) {
      problems.push(danger(`etcd takes no writes: member ${name} is out of space.`, 'See docs/defragmentation.md.'));
    }
    if (trouble !== undefined) problems.push(warning(`member ${name}: ${trouble}.`, ''));
    if (dbSizeBytes === undefined || quotaBytes === undefined || dbSizeBytes < alarmingUsage * quotaBytes) continue;
    const percent = Math.floor((dbSizeBytes / quotaBytes) * 100);
    problems.push(
      warning(
        `member ${name} has used ${percent} % of its quota.`,
        '`etcd-warden defrag --dry-run` shows what can be given back.',
      ),
    );
  }
  return problems;
}

function judgeReload({ at, message, hint }: RefusedReload): Problem {
  const when = formatTime(at);
  const reason = message.replace(/[.;\s]+$/, '');
  return warning(`the configuration that was read again at ${when} was refused: ${reason}; the old one runs on.`, hint);
}

function toProblem({ job, message, hint }: JobFailure): Problem {
  return warning(`the last ${job} failed: ${message}.`, hint);
}

/** A newer one may have come since. */
function thatWasSeen(repositories: readonly RepositoryState[]): string {
  return repositories.some(({ isOutdated }) => isOutdated) ? ' that was seen' : '';
}

function newestOf(repositories: readonly RepositoryState[]): Date | undefined {
  const times = repositories.flatMap(({ newest }) => newest?.takenAt ?? []);
  return times.length === 0 ? undefined : new Date(Math.max(...times.map((time) => time.getTime())));
}

/** The clock of whoever took it may be a little ahead. */
function ageOf(time: Date, now: Date): string {
  return formatAge(time < now ? time : now, now);
}

/** Until it begins its time is that of the last look at the clock, or lies within its jitter. */
function describeDue(time: Date, now: Date): string {
  return time > now ? `in ${formatAge(now, time)}` : 'now';
}
