import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackupFacts, RetentionFacts } from '../../src/retention/facts.ts';
import type { Decision, RetentionPlan } from '../../src/retention/plan.ts';
import { planRetention } from '../../src/retention/plan-retention.ts';
import { keptByGrouping, ruleOf } from './oracle.ts';
import { anyFacts, anyHistory, policyAndStricter } from './random-histories.ts';
import { carryOut, dayMs, keeping, minuteMs, nothing } from './series.ts';
import { Tally } from './tally.ts';

const seed = Number(process.env['RETENTION_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const runsEach = 8000;
const tally = new Tally();
let histories = 0;

/** A failure prints its seed, its path and the smallest history that was found. */
function expectAlways<Values extends [unknown, ...unknown[]]>(
  arbitraries: { [Index in keyof Values]: fc.Arbitrary<Values[Index]> },
  predicate: (...values: Values) => void,
): void {
  fc.assert(
    fc.property<Values>(...arbitraries, (...values) => {
      histories++;
      predicate(...values);
    }),
    { seed, numRuns: runsEach },
  );
}

const planned: typeof planRetention = (policy, facts, options) => tally.note(planRetention(policy, facts, options));
const onlyOf = ({ lineage }: RetentionPlan, { backups }: RetentionFacts) =>
  backups.filter((backup) => backup.lineage === lineage);
const actions = (decisions: readonly Decision[]) => new Map(decisions.map(({ backup, action }) => [backup.id, action]));
const keptIn = (plan: RetentionPlan) => new Set(carryOut(plan).map(({ id }) => id));

/** Said once more, because these properties are about them: which backups count. */
function isSound({ state, time, storedAt }: BackupFacts, now: Date): boolean {
  const isFuture = time.getTime() - now.getTime() > 5 * minuteMs;
  return state === 'complete' && !isFuture && Math.abs(storedAt.getTime() - time.getTime()) <= dayMs;
}
const soundIn = (backups: readonly BackupFacts[], now: Date) => backups.filter((backup) => isSound(backup, now));
const isDoubtful = (backup: BackupFacts, now: Date) => !isSound(backup, now);

const extra = anyFacts.map(({ backups }) => backups.map((facts) => ({ ...facts, id: `extra ${facts.id}` })));
const position = fc.nat(1000);
const at = (list: readonly BackupFacts[], index: number) => list[index % Math.max(1, list.length)];

// A refusal is checked elsewhere: here the decisions count, which are what would be done.
describe('retention of any history', { timeout: 120_000 }, () => {
  beforeAll(() => console.log(`RETENTION_SEED=${seed}`));

  it('keeps the newest sound backup, the newest read back and the newest drilled', () => {
    expectAlways([anyHistory], ({ facts, policy }) => {
      const plan = planned(policy, facts);
      const kept = keptIn(plan);
      const sound = soundIn(
        plan.decisions.map(({ backup }) => backup),
        facts.now,
      );
      const newest = [
        sound[0],
        sound.find(({ verifiedAt }) => verifiedAt !== undefined),
        sound.find(({ drilledAt }) => drilledAt !== undefined),
      ];
      for (const backup of newest) if (backup) expect(kept).toContain(backup.id);
    });
  });

  it('keeps at least keepMin sound backups, or all', () => {
    expectAlways([anyHistory], ({ facts, policy }) => {
      const plan = planned(policy, facts);
      const sound = soundIn(onlyOf(plan, facts), facts.now);
      const staying = soundIn(carryOut(plan), facts.now);
      expect(staying.length).toBeGreaterThanOrEqual(Math.min(policy.keepMin, sound.length));
    });
  });

  it('goes only as far as its limits allow', () => {
    expectAlways([anyHistory], ({ facts, policy }) => {
      const plan = planned(policy, facts);
      const staying = carryOut(plan);
      const removed = plan.decisions.length - staying.length;
      if (plan.verdict === 'refuse' || removed === 0) return;
      const aDayAgo = new Date(facts.now.getTime() - dayMs);
      const older = plan.decisions.map(({ backup }) => backup).filter(({ storedAt }) => storedAt <= aDayAgo);
      const then = planRetention(policy, { ...facts, now: aDayAgo, backups: older, lineage: plan.lineage });
      const leftAlone = older.length === 0 ? 0 : carryOut(then).length;
      expect(older.length - leftAlone).toBeLessThanOrEqual((policy.maxRemovedPercent / 100) * older.length + 1e-9);
      expect(soundIn(staying, facts.now).length).toBeGreaterThanOrEqual(policy.keepMin);
    });
  });

  it('removes nothing by an empty policy', () => {
    expectAlways([anyFacts], (facts) => {
      const plan = planned(nothing, facts);
      expect(carryOut(plan)).toHaveLength(plan.decisions.length);
      if (plan.decisions.length > 0) expect(plan).toMatchObject({ because: 'empty-policy' });
    });
  });

  it('removes nothing more when it is planned again', () => {
    expectAlways([anyHistory], ({ facts, policy }) => {
      const plan = planned(policy, facts);
      const again = planned(policy, { ...facts, backups: carryOut(plan), lineage: plan.lineage });
      expect(again.decisions).toEqual(plan.decisions.filter(({ action }) => action === 'keep'));
    });
  });

  it('decides the same in whatever order the backups are listed', () => {
    expectAlways([anyHistory, position], ({ facts, policy }, turn) => {
      const { backups } = facts;
      const cut = turn % Math.max(1, backups.length);
      const odd = backups.filter((_, index) => index % 2 === 1);
      const even = backups.filter((_, index) => index % 2 === 0);
      const expected = planned(policy, facts);
      for (const order of [
        [...odd.toReversed(), ...even],
        [...backups.slice(cut), ...backups.slice(0, cut)],
      ]) {
        expect(planned(policy, { ...facts, backups: order })).toEqual(expected);
      }
    });
  });

  it('keeps no more by a stricter policy', () => {
    expectAlways([anyFacts, policyAndStricter], (facts, [policy, stricter]) => {
      const kept = keptIn(planned(policy, facts));
      // One that keeps nothing by rule would be refused and so keep everything; a rule as narrow as can be stands for it.
      const narrow = keeping({ ...stricter, keepLast: Math.max(1, stricter.keepLast) });
      for (const id of keptIn(planned(narrow, facts))) expect(kept).toContain(id);
    });
  });

  it('lets nothing go for an added backup that is kept by its age', () => {
    expectAlways([anyHistory, extra], ({ facts, policy }, added) => {
      const plan = planned(policy, { ...facts, lineage: undefined });
      const young = plan.decisions.filter(({ reasons }) => reasons.some((reason) => reason.includes('younger than')));
      const more = planned(policy, { ...facts, lineage: plan.lineage, backups: [...facts.backups, ...added] });
      const after = actions(more.decisions);
      for (const { backup } of young) expect(after.get(backup.id)).toBe('keep');
    });
  });

  it('does the same to the sound ones, whatever misdated or damaged ones are added', () => {
    expectAlways([anyHistory, extra], ({ facts, policy }, added) => {
      const before = planned(policy, facts);
      const doubtful = added.filter((backup) => isDoubtful(backup, facts.now));
      const more = { ...facts, lineage: before.lineage, backups: [...facts.backups, ...doubtful] };
      const after = new Map(planned(policy, more).decisions.map((decision) => [decision.backup.id, decision]));
      for (const decision of before.decisions) expect(after.get(decision.backup.id)).toEqual(decision);
    });
  });

  it('lets none go earlier for damage, neither the damaged one nor any other', () => {
    expectAlways([anyHistory, position], ({ facts, policy }, index) => {
      const hit = at(facts.backups, index);
      const backups = facts.backups.map((one) => (one === hit ? { ...one, state: 'damaged' as const } : one));
      const before = keptIn(planned(policy, facts));
      const after = keptIn(planned(policy, { ...facts, backups }));
      for (const id of before) expect(after).toContain(id);
    });
  });

  it('touches one lineage only, and only as if there were no other', () => {
    expectAlways([anyHistory], ({ facts, policy }) => {
      const plan = planned(policy, facts);
      const own = onlyOf(plan, facts);
      expect(new Set(plan.decisions.map(({ backup }) => backup))).toEqual(new Set(own));
      expect(planned(policy, { ...facts, backups: own }).decisions).toEqual(plan.decisions);
    });
  });

  it('keeps what is held or locked, and keeps no fewer for a hold', () => {
    expectAlways([anyHistory, position], ({ facts, policy }, index) => {
      const hit = at(facts.backups, index);
      const backups = facts.backups.map((one) => (one === hit ? { ...one, holds: ['mine'] } : one));
      const before = keptIn(planned(policy, facts));
      const after = planned(policy, { ...facts, backups });
      const kept = keptIn(after);
      for (const { backup } of after.decisions) {
        const mustStay = backup.holds.length > 0 || backup.lockedUntil !== undefined || before.has(backup.id);
        if (mustStay) expect(kept).toContain(backup.id);
      }
    });
  });

  it('keeps what an independent oracle keeps, each doubtful one as if it alone were sound', () => {
    expectAlways([anyHistory], ({ facts, policy }) => {
      const plan = planned(policy, facts);
      if (plan.verdict === 'refuse' && plan.because === 'empty-policy') return;
      const sound = soundIn(onlyOf(plan, facts), facts.now);
      const bySound = keptByGrouping(policy, sound, facts.now);
      for (const { backup, reasons } of plan.decisions) {
        const inDoubt = isDoubtful(backup, facts.now);
        const keptAt = (time: Date) =>
          keptByGrouping(policy, [...sound, { ...backup, time }], facts.now).get(backup.id) ?? [];
        // One that was stored long after its date has two places.
        const places = backup.time > backup.storedAt ? [backup.storedAt] : [backup.time, ...lateStorings(backup)];
        const kept = inDoubt ? new Set(places.flatMap((time) => [...keptAt(time)])) : (bySound.get(backup.id) ?? []);
        const rules = inDoubt ? (/\((.*)\)$/.exec(reasons[0] ?? '')?.[1]?.split(', ') ?? []) : reasons;
        const told = rules.map(ruleOf).filter((rule) => !/^(held|locked|no rule)/.test(rule));
        expect(told.sort()).toEqual([...kept].sort());
      }
    });
  });

  afterAll(() => console.log(`${histories} histories: ${tally.toString()}`));
});

function lateStorings({ time, storedAt }: BackupFacts): readonly Date[] {
  return storedAt.getTime() - time.getTime() > 24 * 3_600_000 ? [storedAt] : [];
}

const expected = [
  ['go', 'empty-policy', 'clock-behind-newest', 'other-lineage', 'unexplained-backups', 'no-recent-backup'],
  ['too-many-at-once'],
  ['keep', 'remove', 'newest', 'newest read back', 'newest drilled', 'among', 'younger', 'hour', 'day', 'week'],
  ['month', 'year', 'one of', 'held', 'locked', 'no rule', 'nothing'],
  ['doubtful, stays', 'doubtful, goes', 'doubtful, stays for another reason'],
].flat();

describe('the properties above', () => {
  it('were tried on at least 100,000 histories', () => {
    expect(histories).toBeGreaterThanOrEqual(100_000);
  });

  it.each(expected)('met often enough: %s', (name) => {
    expect(tally.count(name)).toBeGreaterThanOrEqual(300);
  });

  it('never met what only a defect in a rule could bring about', () => {
    expect(tally.count('no-verified-backup-left') + tally.count('below-keep-min')).toBe(0);
    expect(tally.toString()).not.toContain('unknown');
  });
});
