import type {
  BackupState,
  JobFailure,
  MembersState,
  MemberState,
  RepositoryState,
} from '../../../src/agent/agent-status.ts';
import { judgeSafety, type Safety, type SafetyFacts } from '../../../src/agent/daemon/judge-safety.ts';

export const now = new Date('2026-11-25T12:00:00Z');
export const minutesAgo = (minutes: number): Date => new Date(now.getTime() - minutes * 60_000);
export const hint = 'Do this.';

export function backup(minutes: number): BackupState {
  return { id: 'some', takenAt: minutesAgo(minutes), revision: '8', storedBytes: 5, verifiedAt: undefined };
}

/** Listed, with a backup of 25 minutes ago where one is due every half hour. */
export function repository(name: string, changes: Partial<RepositoryState> = {}): RepositoryState {
  return {
    name,
    location: `memory://${name}`,
    listedAt: minutesAgo(1),
    error: undefined,
    isOutdated: false,
    newest: backup(25),
    newestVerified: undefined,
    newestDrilled: undefined,
    expectedAgeSeconds: 1800,
    backups: { complete: 1, incomplete: 0, damaged: 0, held: 0 },
    storedBytes: 5,
    ...changes,
  };
}
export const unlisted = { listedAt: undefined, newest: undefined };
export const unlistable = {
  ...unlisted,
  error: { code: 'store-unreachable', message: 'no way there', hint, since: minutesAgo(5) },
};

export function member(name: string, changes: Partial<MemberState> = {}): MemberState {
  return {
    name,
    role: 'follower',
    version: '3.6.16',
    dbSizeBytes: 100,
    inUseBytes: 50,
    quotaBytes: 1000,
    quotaText: '1000 B (status)',
    alarms: [],
    trouble: undefined,
    ...changes,
  };
}

export function failure(job: JobFailure['job'], message = 'it broke'): JobFailure {
  return { job, at: now, code: 'store-failed', message, hint, times: 1 };
}

/** Two repositories and three members, all well, the next backup in five minutes. */
export function judge(
  changes: Partial<Omit<SafetyFacts, 'members'>> & {
    members?: readonly MemberState[];
    look?: Partial<MembersState>;
  } = {},
): Safety {
  const { members = ['m1', 'm2', 'm3'].map((name) => member(name)), look, ...facts } = changes;
  return judgeSafety({
    now,
    repositories: [repository('primary'), repository('local')],
    members: { seenAt: now, error: undefined, isOutdated: false, members, ...look },
    noQuorumBecause: undefined,
    refusedReload: undefined,
    failures: [],
    startedAt: minutesAgo(60 * 24 * 30),
    verifiedAgeLimitSeconds: undefined,
    nextBackupAt: minutesAgo(-5),
    ...facts,
  });
}
export const verdictOf = ({ verdict: { level, sentence } }: Safety): string => `${level} | ${sentence}`;
export const problemsOf = ({ problems }: Safety): string[] => problems.map(({ level, text }) => `${level} | ${text}`);
