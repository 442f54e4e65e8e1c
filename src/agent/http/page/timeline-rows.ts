import type { AgentEvent } from '../../agent-status.ts';
import type { EventCounts, EventKind } from './event-words.ts';

export const timelineDays = 7;
/** Whole ones fill a day, and 84 marks side by side can still be told apart on a telephone. */
export const bucketHours = 2;
export const bucketCount = (timelineDays * 24) / bucketHours;
const bucketMs = bucketHours * 3_600_000;
const bucketsPerDay = 24 / bucketHours;

export interface Timeline {
  /** The beginning of the first bucket. */
  readonly from: Date;
  readonly rows: readonly TimelineRow[];
}

export interface TimelineRow {
  /** undefined: what concerns no repository. */
  readonly repository: string | undefined;
  /** By the number of the bucket; most are empty and not there. */
  readonly buckets: ReadonlyMap<number, EventCounts>;
  readonly total: EventCounts;
}

/**
 * Events in rows and columns, however many there are: one row a repository, in their order, whether or not anything
 * happened there; then those that are no longer configured; last what concerns none. Columns begin at whole hours, so that
 * marks stay where they are from one look to the next.
 */
export function layOutTimeline(events: readonly AgentEvent[], repositories: readonly string[], now: Date): Timeline {
  const end = (Math.floor(now.getTime() / bucketMs) + 1) * bucketMs;
  const from = end - bucketCount * bucketMs;
  const rows = new Map<string | undefined, Row>(repositories.map((name) => [name, emptyRow()]));
  for (const { at, kind, repository } of events) {
    const bucket = Math.floor((at.getTime() - from) / bucketMs);
    if (!(bucket >= 0 && bucket < bucketCount)) continue;
    const row = getOrMake(rows, repository, emptyRow);
    count(getOrMake(row.buckets, bucket, emptyCounts), kind);
    count(row.total, kind);
  }
  return {
    from: new Date(from),
    rows: [...rows]
      .map(([repository, row]) => ({ repository, ...row }))
      .sort((a, b) => Number(a.repository === undefined) - Number(b.repository === undefined)),
  };
}

export function bucketStart({ from }: Timeline, bucket: number): Date {
  return new Date(from.getTime() + bucket * bucketMs);
}

/** Where days begin, as numbers of buckets, which need not be whole: each day from its beginning, or that of the timeline, to its end. */
export function daysOf({ from }: Timeline): readonly { readonly first: number; readonly end: number }[] {
  const intoDay = Math.round((from.getTime() % 86_400_000) / bucketMs);
  const days: { first: number; end: number }[] = [];
  for (let first = 0, end = bucketsPerDay - intoDay; first < bucketCount; first = end, end += bucketsPerDay) {
    days.push({ first, end: Math.min(end, bucketCount) });
  }
  return days;
}

/** What happened from one bucket up to another one. */
export function countBetween({ buckets }: TimelineRow, first: number, end: number): EventCounts {
  const counts = emptyCounts();
  for (const [bucket, kinds] of buckets) {
    if (bucket < first || bucket >= end) continue;
    for (const [kind, number] of kinds) count(counts, kind, number);
  }
  return counts;
}

interface Row {
  readonly buckets: Map<number, Map<EventKind, number>>;
  readonly total: Map<EventKind, number>;
}

const emptyRow = (): Row => ({ buckets: new Map(), total: new Map() });
const emptyCounts = (): Map<EventKind, number> => new Map();

function count(counts: Map<EventKind, number>, kind: EventKind, number = 1): void {
  counts.set(kind, (counts.get(kind) ?? 0) + number);
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
