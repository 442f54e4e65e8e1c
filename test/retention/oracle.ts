import type { BackupFacts } from '../../src/retention/facts.ts';
import type { RetentionPolicy } from '../../src/retention/policy.ts';

/**
 * The rules once more, written as differently as can be: whole groups instead of a walk, texts of Intl.DateTimeFormat
 * instead of Temporal, weeks counted from a Thursday. Knows sound backups of one lineage only.
 */
export function keptByGrouping(
  policy: RetentionPolicy,
  backups: readonly BackupFacts[],
  now: Date,
): ReadonlyMap<string, ReadonlySet<string>> {
  const byKey = new Map(backups.map((facts) => [sortKey(facts), facts]));
  const newestFirst = [...byKey].sort(([a], [b]) => (a < b ? 1 : -1)).map(([, facts]) => facts);
  const kept = new Map<string, Set<string>>();
  const keep = (list: readonly BackupFacts[], rule: string) => {
    for (const { id } of list) kept.set(id, (kept.get(id) ?? new Set()).add(rule));
  };
  keep(newestFirst.slice(0, 1), 'newest');
  keep(newestFirst.filter(({ verifiedAt }) => verifiedAt !== undefined).slice(0, 1), 'newest read back');
  keep(newestFirst.filter(({ drilledAt }) => drilledAt !== undefined).slice(0, 1), 'newest drilled');
  keep(newestFirst.slice(0, policy.keepLast), 'among');
  if (policy.keepWithinMs > 0) {
    keep(
      newestFirst.filter(({ time, storedAt }) => {
        return Math.max(time.getTime(), storedAt.getTime()) >= now.getTime() - policy.keepWithinMs;
      }),
      'younger',
    );
  }
  for (const [kind, limit] of periods(policy)) {
    if (limit === 0) continue;
    const groups = Object.groupBy(newestFirst, ({ time }) => localPeriod(time, policy.timeZone)[kind]);
    const newestGroups = Object.entries(groups)
      .map(([name, members]) => ({ name, newest: members?.[0] }))
      .sort((a, b) => (a.newest?.time.getTime() ?? 0) - (b.newest?.time.getTime() ?? 0))
      .slice(-limit);
    for (const { name, newest } of newestGroups) if (newest) keep([newest], `${kind} ${name.replace(/ [+-].*/, '')}`);
  }
  keep(newestFirst.slice(0, policy.keepMin), 'one of');
  return kept;
}

type Kind = 'hour' | 'day' | 'week' | 'month' | 'year';

function periods({ hourly, daily, weekly, monthly, yearly }: RetentionPolicy): readonly [Kind, number][] {
  return [
    ['hour', hourly],
    ['day', daily],
    ['week', weekly],
    ['month', monthly],
    ['year', yearly],
  ];
}

function sortKey({ time, revision, id }: BackupFacts): string {
  return `${time.toISOString()} ${String(revision).padStart(20, '0')} ${id}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();
const known = new Map<string, Record<Kind, string>>();

/** Names of the periods that a moment belongs to; an hour carries its offset from UTC, `2026-10-25 02 +02:00`. */
function localPeriod(time: Date, timeZone: string): Record<Kind, string> {
  const key = `${timeZone} ${time.getTime()}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const named = namePeriods(time, timeZone);
  // Random histories rarely meet a moment twice: what is remembered must not grow without end.
  if (known.size > 100_000) known.clear();
  known.set(key, named);
  return named;
}

function namePeriods(time: Date, timeZone: string): Record<Kind, string> {
  const format = formats.get(timeZone) ?? makeFormat(timeZone);
  formats.set(timeZone, format);
  const text = format.format(time);
  const [, month, day, year, hour, offset] = /^(\d+)\/(\d+)\/(\d+), (\d+) GMT(.*)$/.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined) throw new Error(`unexpected format: ${text}`);
  return {
    hour: `${year}-${month}-${day} ${hour} ${offset === '' ? '+00:00' : offset}`,
    day: `${year}-${month}-${day}`,
    week: isoWeek(Number(year), Number(month), Number(day)),
    month: `${year}-${month}`,
    year,
  };
}

function makeFormat(timeZone: string): Intl.DateTimeFormat {
  const twoDigits = { month: '2-digit', day: '2-digit', hour: '2-digit' } as const;
  return new Intl.DateTimeFormat('en-US', {
    ...twoDigits,
    timeZone,
    year: 'numeric',
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  });
}

/** A week belongs to the year that its Thursday is in. */
function isoWeek(year: number, month: number, day: number): string {
  const date = new Date(Date.UTC(year, month - 1, day));
  date.setUTCDate(date.getUTCDate() + 3 - ((date.getUTCDay() + 6) % 7));
  const dayOfYear = (date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000;
  return `${date.getUTCFullYear()}-W${String(Math.floor(dayOfYear / 7) + 1).padStart(2, '0')}`;
}

/** A reason of a plan as the oracle names it: counts and durations do not matter to it. */
export function ruleOf(reason: string): string {
  return reason.replace(/^(among|younger|one of) .*/, '$1').replace(/^(hour \S+ \d+) .*/, '$1');
}
