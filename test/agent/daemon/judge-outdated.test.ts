import { describe, expect, it } from 'vitest';
import { isOutdated } from '../../../src/agent/daemon/outdated.ts';
import { backup, hint, judge, minutesAgo, now, problemsOf, repository, unlistable, verdictOf } from './safety-facts.ts';

const { error } = unlistable;
const outdated = { isOutdated: true, listedAt: minutesAgo(20), error: { ...error, since: minutesAgo(15) } };
const ofRepository =
  'Repository local cannot be listed since 2026-11-25T11:45:00Z, so what is shown of it is from 2026-11-25T11:40:00Z: no way there.';
const refused = { code: 'etcd-unreachable', message: 'refused', hint, since: minutesAgo(9) };
const ofMembers =
  'Etcd cannot be asked since 2026-11-25T11:51:00Z, so what is shown of it is from 2026-11-25T11:50:00Z: refused.';

describe('What was seen', () => {
  const intervalMs = 60_000;

  it('is outdated once three looks and the longest one brought nothing new', () => {
    const limit = new Date(now.getTime() - 3 * intervalMs - 150_000);
    expect(isOutdated(limit, intervalMs, now)).toBe(false);
    expect(isOutdated(new Date(limit.getTime() - 1), intervalMs, now)).toBe(true);
    expect(isOutdated(undefined, intervalMs, now)).toBe(false);
  });
});

describe('Figures that are no longer known to be true', () => {
  it('of a repository are said to be from then, since when looking fails and why', () => {
    const safety = judge({ repositories: [repository('local', outdated)] });
    expect(problemsOf(safety)).toEqual([`warning | ${ofRepository}`]);
    expect(verdictOf(safety)).toBe(
      `warning | The newest backup that was seen is 25m old, but something needs a look: ${ofRepository}`,
    );
    expect(safety.problems[0]?.hint).toBe(hint);
  });

  it('are never told as if they were of now, whatever else is worse', () => {
    const late = repository('local', { ...outdated, newest: backup(62) });
    expect(verdictOf(judge({ repositories: [late] }))).toBe(
      `danger | The newest backup that was seen is 1h 2m old, in every repository. ${ofRepository}`,
    );
    const empty = repository('local', { ...outdated, newest: undefined });
    expect(verdictOf(judge({ repositories: [empty] }))).toBe(
      `unknown | There is no backup yet; the first is due in 5m. ${ofRepository}`,
    );
  });

  it('come before other warnings', () => {
    const repositories = [repository('other', { newest: backup(62) }), repository('local', outdated)];
    expect(problemsOf(judge({ repositories }))).toEqual([
      `warning | ${ofRepository}`,
      'warning | The newest backup in other is 1h 2m old, one is due every 30m 0s.',
    ]);
  });

  it('of members are danger: nothing is known of etcd', () => {
    const look = { isOutdated: true, seenAt: minutesAgo(10), error: refused };
    const safety = judge({ look, noQuorumBecause: 'earlier' });
    expect([problemsOf(safety), verdictOf(safety)]).toEqual([[`danger | ${ofMembers}`], `danger | ${ofMembers}`]);
  });

  it('are told where no look has even failed', () => {
    const look = { isOutdated: true, seenAt: minutesAgo(10) };
    const nobodyLooked = { isOutdated: true, listedAt: minutesAgo(20) };
    expect(problemsOf(judge({ look, repositories: [repository('local', nobodyLooked)] }))).toEqual([
      'warning | Repository local was not listed for a long time: what is shown of it is from 2026-11-25T11:40:00Z.',
      'warning | Etcd was not asked for a long time: what is shown of it is from 2026-11-25T11:50:00Z.',
    ]);
  });
});
