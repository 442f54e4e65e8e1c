import fc from 'fast-check';
import type { BackupFacts, RetentionFacts } from '../../src/retention/facts.ts';
import type { RetentionPolicy } from '../../src/retention/policy.ts';
import { dayMs, hourMs, keeping, lineage, minuteMs } from './series.ts';

/**
 * Random histories, dense enough that every rule, doubt and refusal happens often. Numbers are drawn and read bit by bit:
 * a hundred thousand histories take seconds so, and a failure still shrinks, because 0 is what is plain everywhere.
 */

interface History {
  readonly facts: RetentionFacts;
  readonly policy: RetentionPolicy;
}

const lost = 'ffffffffffffffff';
const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'] as const;

/** Distances between backups, by the pace of a history. */
const paces: readonly (readonly number[])[] = [
  [20 * minuteMs, 30 * minuteMs, hourMs, 0],
  [hourMs, 6 * hourMs, dayMs, 10 * minuteMs],
  [dayMs, dayMs / 2, 3 * dayMs, hourMs],
  [30 * dayMs, 7 * dayMs, 100 * dayMs, dayMs],
];

/** Moments around which something happens to the calendar: a leap day, a week 53, the clocks changing either way. */
const moments = [
  '2028-03-01',
  '2027-01-03',
  '2026-10-26',
  '2026-03-30',
  '2026-04-06',
  '2026-11-02',
  '2025-01-01',
] as const;

/** Reads a number as small parts, from its lowest bits. */
function parts(drawn: number): (limit: number) => number {
  let rest = drawn;
  return (limit) => {
    const part = rest % limit;
    rest = Math.floor(rest / limit);
    return part;
  };
}

function pick<Value>(values: readonly Value[], index: number): Value {
  const value = values[index % values.length];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}

const draw = fc.maxSafeNat();

const anyPolicy: fc.Arbitrary<RetentionPolicy> = fc.tuple(draw, draw).map(([counts, rest]) => {
  const count = parts(counts);
  const part = parts(rest);
  // Each rule is off in half of all policies, or none could be seen to act alone.
  const orOff = (limit: number) => (count(2) === 0 ? 0 : 1 + count(limit));
  return keeping({
    keepLast: orOff(6),
    hourly: orOff(5),
    daily: orOff(5),
    weekly: orOff(4),
    monthly: orOff(4),
    yearly: orOff(2),
    keepWithinMs: pick([0, 0, 2 * hourMs, dayMs, 3 * dayMs, 90 * dayMs], part(6)),
    keepMin: 1 + part(5),
    maxRemovedPercent: pick([100, 100, 50, 20, 0], part(5)),
    timeZone: pick(zones, part(5)),
  });
});

/** A policy and one in which every number is at most as high. */
export const policyAndStricter: fc.Arbitrary<readonly [RetentionPolicy, RetentionPolicy]> = fc
  .tuple(anyPolicy, draw)
  .map(([policy, drawn]) => {
    const part = parts(drawn);
    const less = (count: number) => Math.floor((count * part(4)) / 3);
    const { keepLast, keepWithinMs, hourly, daily, weekly, monthly, yearly, keepMin } = policy;
    return [
      policy,
      {
        ...policy,
        keepLast: less(keepLast),
        keepWithinMs: less(keepWithinMs),
        hourly: less(hourly),
        daily: less(daily),
        weekly: less(weekly),
        monthly: less(monthly),
        yearly: less(yearly),
        keepMin: Math.max(1, less(keepMin)),
      },
    ];
  });

export const anyFacts: fc.Arbitrary<RetentionFacts> = fc
  .tuple(draw, fc.oneof(fc.array(draw, { maxLength: 40 }), fc.array(draw, { minLength: 15, maxLength: 40 })))
  .map(([drawn, backups]) => readFacts(drawn, backups));

export const anyHistory: fc.Arbitrary<History> = fc
  .tuple(anyFacts, anyPolicy)
  .map(([facts, policy]) => ({ facts, policy }));

function readFacts(drawn: number, backups: readonly number[]): RetentionFacts {
  const part = parts(drawn);
  const pace = pick(paces, part(4));
  const now = Date.parse(pick(moments, part(7))) + part(48) * 47 * minuteMs;
  const traits = { doubts: part(3), clockBehind: part(8) === 7, others: part(4) === 3 };
  const expectedPerDay = part(2) === 0 ? undefined : pick([24, 1], part(2));
  const told = part(3) === 2;
  let time = now - part(3) * hourMs - (part(12) === 11 ? 12 * dayMs : 0);
  const read = backups.map((value, index) => {
    const next = parts(value);
    const facts = readBackup(next, index, { time, now, ...traits });
    time -= pick(pace, next(4));
    return facts;
  });
  return { now: new Date(now), backups: read, lineage: told ? lineage : undefined, expectedPerDay };
}

interface Surroundings {
  readonly time: number;
  readonly now: number;
  /** 0: all are sound; 1: some are in doubt; 2: many are. */
  readonly doubts: number;
  readonly clockBehind: boolean;
  readonly others: boolean;
}

function readBackup(part: (limit: number) => number, index: number, surroundings: Surroundings): BackupFacts {
  const { time, now, doubts, clockBehind, others } = surroundings;
  const isDoubtful = doubts > 0 && part(8) > 8 - 3 * doubts;
  const doubt = isDoubtful ? 1 + part(4) : 0;
  const taken = doubt === 2 ? now + (1 + part(5)) * dayMs : time;
  const stored = doubt === 3 ? time + (1 + part(40)) * 36 * hourMs : time + 20_000;
  const isAhead = clockBehind && index === 0;
  const earlier = (limit: number) => (part(limit) === limit - 1 ? new Date(now) : undefined);
  return {
    id: `${part(16).toString(16)}-${index}`,
    lineage: others && part(4) === 3 ? lost : lineage,
    time: new Date(isAhead ? now + hourMs : taken),
    // Revisions grow with time; where they go back is a matter of its own.
    revision: BigInt(10_000 - 10 * index + part(3)),
    // What was copied cannot have been stored later than now.
    storedAt: new Date(isAhead ? now + hourMs : Math.min(stored, now)),
    state: doubt === 1 || doubt === 4 ? 'damaged' : 'complete',
    verifiedAt: earlier(3),
    drilledAt: earlier(6),
    holds: part(20) === 19 ? ['audit'] : [],
    lockedUntil: part(12) === 11 ? new Date(now + dayMs) : undefined,
    storedBytes: 1_000_000,
  };
}
