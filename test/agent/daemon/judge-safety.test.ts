import { describe, expect, it } from 'vitest';
import type { MemberState, RepositoryState } from '../../../src/agent/agent-status.ts';
import { judgeSafety } from '../../../src/agent/daemon/judge-safety.ts';
import {
  backup,
  failure,
  hint,
  judge,
  member,
  minutesAgo,
  now,
  problemsOf,
  repository,
  unlistable,
  unlisted,
  verdictOf,
} from './safety-facts.ts';

const refused =
  'The configuration that was read again at 2026-11-25T11:57:00Z was refused: a.yaml:3:1: no.; a.yaml:4:1: no; the old one runs on.';
const lookFor = 'The newest backup is 25m old, but something needs a look:';

describe('The verdict', () => {
  it('is that all is well, with the age of the newest backup', () => {
    expect(judge()).toEqual({
      verdict: {
        level: 'safe',
        sentence: 'Every repository holds a recent backup; the newest is 25m old.',
      },
      problems: [],
    });
  });

  it('is unknown before anything was looked at', () => {
    const safety = judge({ repositories: [repository('primary', unlisted)] });
    expect(verdictOf(safety)).toBe('unknown | Not everything is known yet: the first look is under way.');
    expect(safety.problems).toEqual([]);
  });

  it.each([
    [5, 'There is no backup yet; the first is due in 5m.'],
    [0, 'There is no backup yet; the first is due now.'],
    // A run that waits within its jitter, or a clock that went on since the last beat.
    [-0.01, 'There is no backup yet; the first is due now.'],
  ])('of a new installation is unknown until the first backup, which is due in %d minutes', (minutes, sentence) => {
    const empty = { newest: undefined, backups: { complete: 0, incomplete: 1, damaged: 0, held: 0 } };
    const safety = judge({ repositories: [repository('primary', empty)], nextBackupAt: minutesAgo(-minutes) });
    expect([verdictOf(safety), safety.problems]).toEqual([`unknown | ${sentence}`, []]);
  });

  it('is danger without any backup where nobody is about to take one, or it failed', () => {
    const repositories = [repository('primary', { newest: undefined }), repository('local', unlisted)];
    const nobody = judge({ repositories, nextBackupAt: undefined });
    expect(verdictOf(nobody)).toBe('danger | No repository holds a backup.');
    expect(nobody.problems[0]?.hint).toBe('Take one: `etcd-warden backup`.');
    const failed = judge({ repositories, failures: [failure('backup')] });
    expect(problemsOf(failed)).toEqual([
      'danger | No repository holds a backup.',
      'warning | The last backup failed: it broke.',
    ]);
    expect(failed.problems[0]?.hint).toContain('The last errors');
    // What else failed is no reason why there is none.
    expect(judge({ repositories, failures: [failure('verify')] }).verdict.level).toBe('unknown');
  });

  it('is a warning where the newest backup of one repository is late', () => {
    const late = repository('local', { newest: backup(62) });
    const safety = judge({ repositories: [repository('primary'), late] });
    expect(verdictOf(safety)).toBe(
      `warning | ${lookFor} The newest backup in local is 1h 2m old, one is due every 30m 0s.`,
    );
  });

  it('calls a backup late after two runs and a minute, and not before', () => {
    const justIn = repository('local', { newest: backup(61) });
    expect(judge({ repositories: [justIn] }).verdict.level).toBe('safe');
    const late = repository('local', { newest: backup(61.1) });
    expect(judge({ repositories: [late] }).verdict.level).toBe('danger');
  });

  it('expects a backup a day where nothing says how often', () => {
    const aged = (minutes: number): RepositoryState =>
      repository('local', { newest: backup(minutes), expectedAgeSeconds: undefined });
    expect(judge({ repositories: [aged(48 * 60 + 1)] }).verdict.level).toBe('safe');
    expect(verdictOf(judge({ repositories: [aged(48 * 60 + 2)] }))).toBe(
      'danger | The newest backup is 2d 0h old, in every repository.',
    );
  });

  it('is danger where the newest backup is late in every repository, and says of each how late', () => {
    const repositories = [
      repository('primary', { newest: backup(120) }),
      repository('local', { newest: backup(90) }),
      repository('empty', { newest: undefined }),
    ];
    expect(problemsOf(judge({ repositories }))).toEqual([
      'danger | The newest backup is 1h 30m old, in every repository.',
      'warning | The newest backup in primary is 2h 0m old, one is due every 30m 0s.',
      'warning | The newest backup in local is 1h 30m old, one is due every 30m 0s.',
      'warning | Repository empty holds no backup.',
    ]);
  });

  it('never says that every repository holds a backup where one is empty', () => {
    const safety = judge({ repositories: [repository('primary'), repository('local', { newest: undefined })] });
    expect(verdictOf(safety)).toBe(`warning | ${lookFor} Repository local holds no backup.`);
  });

  it('takes a backup of a clock that is a little ahead for one of now', () => {
    const repositories = [repository('primary', { newest: backup(-2) })];
    expect(verdictOf(judge({ repositories }))).toContain('the newest is 0s old');
  });

  it('is a warning where one repository cannot be listed, with its hint', () => {
    const safety = judge({ repositories: [repository('primary'), repository('local', unlistable)] });
    expect(verdictOf(safety)).toBe(`warning | ${lookFor} Repository local cannot be listed: no way there.`);
    expect(safety.problems.map((problem) => problem.hint)).toEqual([hint]);
  });

  it('is danger where none can be listed and none ever was', () => {
    const safety = judge({ repositories: [repository('primary', unlistable), repository('local', unlistable)] });
    expect(verdictOf(safety)).toBe('danger | No repository can be listed.');
    expect(safety.problems.slice(1).map(({ text }) => text)).toEqual([
      'Repository primary cannot be listed: no way there.',
      'Repository local cannot be listed: no way there.',
    ]);
  });

  it('goes by the last good listing where there is none now', () => {
    const { error } = unlistable;
    expect(judge({ repositories: [repository('primary', { error })] }).verdict.level).toBe('warning');
    const old = repository('primary', { error, newest: backup(62) });
    expect(verdictOf(judge({ repositories: [old] }))).toBe(
      'danger | The newest backup is 1h 2m old, in every repository.',
    );
  });

  it('is a warning where backups are damaged', () => {
    const backups = { complete: 3, incomplete: 0, damaged: 2, held: 0 };
    const safety = judge({ repositories: [repository('primary', { backups })] });
    expect(verdictOf(safety)).toBe(`warning | ${lookFor} Repository primary holds 2 damaged backups.`);
    expect(safety.problems[0]?.hint).toContain('list --check');
  });

  it('is a warning where a job failed, with its hint', () => {
    const safety = judge({ failures: [failure('prune')] });
    expect(verdictOf(safety)).toBe(`warning | ${lookFor} The last prune failed: it broke.`);
    expect(safety.problems.map((problem) => problem.hint)).toEqual([hint]);
  });
});

describe('What etcd is in', () => {
  it.each<[string, Partial<MemberState>, string]>([
    ['CORRUPT', { alarms: ['CORRUPT'] }, 'danger | Member m2 raised CORRUPT.'],
    ['NOSPACE', { alarms: ['NOSPACE'] }, 'danger | Etcd takes no writes: member m2 is out of space.'],
    ['an unreachable member', { trouble: 'refused' }, `warning | ${lookFor} Member m2: refused.`],
    ['a quota almost reached', { dbSizeBytes: 905 }, `warning | ${lookFor} Member m2 has used 90 % of its quota.`],
  ])('is told: %s', (_, changes, verdict) => {
    const safety = judge({ members: [member('m1'), member('m2', changes)] });
    expect(verdictOf(safety)).toBe(verdict);
    expect(safety.problems).toHaveLength(1);
  });

  it.each<[string, Partial<MemberState>]>([
    ['less than nine tenths of the quota', { dbSizeBytes: 899 }],
    ['no quota that is known', { dbSizeBytes: 10_000, quotaBytes: undefined }],
    ['no size that is known', { dbSizeBytes: undefined }],
  ])('is well with %s', (_, changes) => {
    expect(judge({ members: [member('m1', changes)] }).problems).toEqual([]);
  });

  it('is danger without quorum', () => {
    const safety = judge({ noQuorumBecause: 'no leader' });
    expect(verdictOf(safety)).toBe('danger | Etcd has no quorum: no leader.');
  });

  it('is danger where nobody can be asked, and what was seen before is not told as of now', () => {
    const error = { code: 'etcd-unreachable', message: 'refused', hint, since: now };
    const members = {
      seenAt: minutesAgo(1),
      error,
      isOutdated: false,
      members: [member('m1', { trouble: 'earlier' })],
    };
    const safety = judgeSafety({
      now,
      repositories: [repository('primary')],
      members,
      noQuorumBecause: 'earlier',
      refusedReload: undefined,
      failures: [],
      nextBackupAt: undefined,
      startedAt: now,
      verifiedAgeLimitSeconds: undefined,
    });
    expect(problemsOf(safety)).toEqual(['danger | Etcd cannot be asked: refused.']);
    expect(safety.problems[0]?.hint).toBe(hint);
  });
});

describe('What speaks against safety', () => {
  it('is a configuration that was refused, until a good one is read', () => {
    const refusedReload = {
      at: minutesAgo(3),
      code: 'config-invalid',
      message: 'a.yaml:3:1: no.\na.yaml:4:1: no.',
      hint,
    };
    expect(judge({ refusedReload })).toEqual({
      verdict: { level: 'warning', sentence: `${lookFor} ${refused}` },
      problems: [{ level: 'warning', text: refused, hint }],
    });
  });

  it('is told worst first, and otherwise repositories, members, jobs', () => {
    const safety = judge({
      repositories: [repository('primary'), repository('local', unlistable)],
      members: [member('m1', { trouble: 'refused' }), member('m2', { alarms: ['NOSPACE', 'CORRUPT'] })],
      noQuorumBecause: 'no leader',
      failures: [failure('defrag')],
    });
    expect(problemsOf(safety)).toEqual([
      'danger | Etcd has no quorum: no leader.',
      'danger | Member m2 raised CORRUPT.',
      'danger | Etcd takes no writes: member m2 is out of space.',
      'warning | Repository local cannot be listed: no way there.',
      'warning | Member m1: refused.',
      'warning | The last defrag failed: it broke.',
    ]);
  });

  it.each([
    'it broke',
    'it broke.',
    'it broke…',
    'it broke...',
    'it broke\n',
    'it broke.\r\n',
    'it broke. ',
    'it broke.\n  the store is gone.\n',
  ])('is one line with one full stop at its end, whatever the message: %j', (message) => {
    for (const { problems, verdict } of [
      judge({ failures: [failure('backup', message)] }),
      judge({ noQuorumBecause: message }),
      judge({ repositories: [repository('primary', { error: { code: 'x', message, hint, since: now } })] }),
      judge({ members: [member('m1', { trouble: message })] }),
    ]) {
      for (const text of [...problems.map((problem) => problem.text), verdict.sentence]) {
        expect(text).toContain('it broke');
        expect(text).toMatch(/^[^\n\r]*[^.;\s]\.$/);
      }
    }
  });
});
