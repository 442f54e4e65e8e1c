import { believableNow } from '../../src/retention/believable-now.ts';
import type { BackupFacts } from '../../src/retention/facts.ts';
import type { Decision } from '../../src/retention/plan.ts';
import { planRetention } from '../../src/retention/plan-retention.ts';
import type { RetentionPolicy } from '../../src/retention/policy.ts';
import type { VirtualClock } from './virtual-clock.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** Farther off, and a clock is believed by nobody: then nothing may go that a right clock would keep. */
const believedMs = 7 * dayMs;

const policy: RetentionPolicy = {
  keepLast: 6,
  keepWithinMs: 3 * dayMs,
  hourly: 0,
  daily: 10,
  weekly: 6,
  monthly: 6,
  yearly: 0,
  timeZone: 'UTC',
  keepMin: 3,
  maxRemovedPercent: 50,
};

/**
 * What the policy promises: up to such an age, so far from any backup at most lies one that stands for it. The newest of
 * its periods has only begun, so one less is sure.
 */
const promises = [
  [policy.keepWithinMs, 0],
  [(policy.daily - 1) * dayMs, dayMs],
  [(policy.weekly - 1) * 7 * dayMs, 7 * dayMs],
  [(policy.monthly - 1) * 30 * dayMs, 31 * dayMs],
] as const;

interface Stored {
  readonly facts: BackupFacts;
  /** When it was taken really. */
  readonly takenMs: number;
}

/**
 * A repository whose store has a right clock, and an agent that dates and prunes by one that may be wrong. What that agent
 * removes is held against the plan for the same backups with right dates at the right time: where that plan would keep a
 * backup, the promise of the policy must be kept all the same, to within the error of dates that nobody can doubt.
 */
export class MisdatedRepository {
  readonly faults: string[] = [];
  readonly seen = { removed: 0, refused: 0, forced: 0 };
  readonly #policy: RetentionPolicy;
  readonly #expectedPerDay: number;
  #stored: readonly Stored[] = [];
  #count = 0;
  #prunedMs: number;

  constructor(timeZone: string, expectedPerDay: number, { trueMs }: VirtualClock) {
    this.#policy = { ...policy, timeZone };
    this.#expectedPerDay = expectedPerDay;
    this.#prunedMs = trueMs;
  }

  /** Takes a backup and prunes after it. */
  backUp({ trueMs, wrongByMs }: VirtualClock): void {
    this.#count += 1;
    const takenMs = Math.floor(trueMs / 1000) * 1000;
    const facts: BackupFacts = {
      id: `backup ${this.#count}`,
      lineage: '0123456789abcdef',
      time: new Date(takenMs + wrongByMs),
      revision: BigInt(1000 + this.#count),
      storedAt: new Date(takenMs + 10_000),
      state: 'complete',
      verifiedAt: undefined,
      drilledAt: undefined,
      holds: [],
      lockedUntil: undefined,
      storedBytes: 1_000_000,
    };
    this.#stored = [...this.#stored, { facts, takenMs }];
    this.#prune(takenMs + 20_000, wrongByMs);
  }

  #prune(trueMs: number, wrongByMs: number): void {
    // After two weeks somebody looks at the plan, with a clock that is right, and lets it have its way.
    const isForced = wrongByMs === 0 && trueMs - this.#prunedMs > 14 * dayMs;
    const allowed = isForced ? { ...this.#policy, maxRemovedPercent: 100 } : this.#policy;
    const plan = this.#plan(allowed, trueMs + wrongByMs, ({ facts }) => facts);
    if (plan.verdict === 'refuse') {
      this.seen.refused += 1;
      return;
    }
    this.#prunedMs = trueMs;
    const leaving = new Set(plan.decisions.filter(isRemoval).map(({ backup }) => backup.id));
    if (leaving.size === 0) return;
    const kept = this.#stored.filter(({ facts }) => !leaving.has(facts.id));
    const rightPlan = this.#plan(allowed, trueMs, ({ facts, takenMs }) => ({ ...facts, time: new Date(takenMs) }));
    const alsoLeaving = new Set(rightPlan.decisions.filter(isRemoval).map(({ backup }) => backup.id));
    const errorMs = this.#believedErrorMs() + (Math.abs(wrongByMs) <= believedMs ? Math.abs(wrongByMs) : 0);
    for (const gone of this.#stored) {
      const { id } = gone.facts;
      if (leaving.has(id) && !alsoLeaving.has(id)) this.#judge(gone, kept, trueMs, errorMs);
    }
    this.seen.removed += leaving.size;
    if (isForced) this.seen.forced += 1;
    this.#stored = kept;
  }

  #plan(allowed: RetentionPolicy, nowMs: number, toFacts: (stored: Stored) => BackupFacts) {
    const backups = this.#stored.map(toFacts);
    return planRetention(allowed, {
      now: believableNow(new Date(nowMs), backups),
      backups,
      lineage: '0123456789abcdef',
      expectedPerDay: this.#expectedPerDay,
    });
  }

  /** The largest error of a date that is not doubted. */
  #believedErrorMs(): number {
    const errors = this.#stored.map(({ facts, takenMs }) => Math.abs(facts.time.getTime() - takenMs));
    return Math.max(0, ...errors.filter((error) => error <= dayMs));
  }

  /** A backup went that a right clock would have kept. */
  #judge({ facts, takenMs }: Stored, kept: readonly Stored[], trueMs: number, errorMs: number): void {
    const ageMs = trueMs - takenMs;
    const promise = promises.find(([upToMs, apartMs]) => ageMs <= (apartMs === 0 ? upToMs : upToMs - errorMs));
    if (promise === undefined) return;
    const [, promisedMs] = promise;
    const toleratedMs = promisedMs === 0 ? 0 : promisedMs + errorMs;
    const distanceMs = Math.min(...kept.map((other) => Math.abs(other.takenMs - takenMs)));
    if (distanceMs <= toleratedMs) return;
    const inHours = (ms: number): string => (ms / (60 * minuteMs)).toFixed(2);
    this.faults.push(
      `${facts.id}, taken ${new Date(takenMs).toISOString()}, dated ${facts.time.toISOString()}, gone at ${new Date(trueMs).toISOString()}: age ${inHours(ageMs)} h, error ${inHours(errorMs)} h, nearest ${inHours(distanceMs)} h away`,
    );
  }
}

function isRemoval({ action }: Decision): boolean {
  return action === 'remove';
}
