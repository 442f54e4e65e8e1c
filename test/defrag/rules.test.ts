import { describe, expect, it } from 'vitest';
import type { DefragRule } from '../../src/defrag/policy.ts';
import { compact, GiB, hourMs, MiB, minuteMs, now, plan, stepsOf, wordsOn, type Changes } from './cluster.ts';

const ago = (ms: number) => new Date(now.getTime() - ms);
/** What becomes of `etcd-1`, the only one of three that is worth anything. */
const judged = (changes: Changes, policy: Parameters<typeof plan>[1] = {}) => plan([compact, changes, compact], policy);
const isDue = (changes: Changes, policy: Parameters<typeof plan>[1] = {}) =>
  stepsOf(judged(changes, policy)).includes('etcd-1');
const by = (...rules: DefragRule[]) => ({ rules, minReclaimBytes: 0 });

describe('a member is due by a rule', () => {
  it('when all of its conditions hold, and the step says which figures they are', () => {
    const found = judged({ dbSizeBytes: GiB, inUseBytes: GiB / 4 });
    expect(wordsOn(1, found)).toBe(
      'rule 1: fragmentation 75% is above 45%, database 1 GiB is above 100 MiB and reclaimable 768 MiB is above 64 MiB',
    );
    expect(found.steps[0]).toMatchObject({ predictedReclaimBytes: 768 * MiB, isEmergency: false, role: 'follower' });
  });

  it.each<[string, DefragRule, Changes, Changes]>([
    ['fragmentation', { fragmentationAbove: 0.45 }, { inUseBytes: 0.54 * GiB }, { inUseBytes: 0.55 * GiB }],
    ['size', { dbSizeAboveBytes: GiB }, { dbSizeBytes: GiB + 1 }, { dbSizeBytes: GiB }],
    ['bytes', { reclaimableAbove: { bytes: 64 * MiB } }, { inUseBytes: 959 * MiB }, { inUseBytes: 960 * MiB }],
    [
      'a share of the quota',
      { reclaimableAbove: { fractionOfQuota: 0.0625 } },
      { inUseBytes: GiB / 2 - 1 },
      { inUseBytes: GiB / 2 },
    ],
    ['usage', { usageAbove: 0.75 }, { dbSizeBytes: 6 * GiB + 1 }, { dbSizeBytes: 6 * GiB }],
  ])('above its limit and not at it: %s', (_name, rule, above, at) => {
    expect(isDue(above, by(rule))).toBe(true);
    expect(isDue(at, by(rule))).toBe(false);
  });

  it('when any one of several holds, and no reason is given that does not', () => {
    const found = judged({ dbSizeBytes: 7 * GiB, inUseBytes: 6 * GiB });
    expect(wordsOn(1, found)).toBe(
      'rule 2: reclaimable 1 GiB is above 10% of the quota (819.2 MiB) and usage 87.5% is above 75%',
    );
  });
});

describe('a member is not due', () => {
  // field: F074
  it('by a rule that fails, and is told for each rule what is missing', () => {
    const found = judged({ dbSizeBytes: GiB, inUseBytes: 0.878 * GiB });
    expect(wordsOn(1, found)).toBe(
      'rule 1: fragmentation 12.2% is not above 45%; rule 2: reclaimable 124.9 MiB is not above 10% of the quota (819.2 MiB) and usage 12.5% is not above 75%',
    );
    expect(found).toMatchObject({ verdict: 'go', steps: [] });
  });

  it('by a rule without a condition, or without any rule', () => {
    expect(wordsOn(1, judged({}, by({})))).toBe('rule 1: it has no condition');
    expect(wordsOn(1, judged({}, by()))).toBe('there is no rule');
  });

  it('for less than minReclaim', () => {
    const policy = { rules: [{ fragmentationAbove: 0.01 }] };
    expect(isDue({ inUseBytes: GiB - 32 * MiB }, policy)).toBe(true);
    const found = judged({ inUseBytes: GiB - 32 * MiB + 1 }, policy);
    expect(wordsOn(1, found)).toBe('31.9 MiB of 1 GiB reclaimable, less than minReclaim 32 MiB');
  });

  // Both sizes are read without a lock, so that what is in use may be ahead for a moment.
  it.each([GiB, GiB + MiB])('for nothing, though minReclaim is 0: %d in use', (inUseBytes) => {
    expect(wordsOn(1, judged({ inUseBytes }, by({ dbSizeAboveBytes: 0 })))).toBe('nothing of 1 GiB is reclaimable');
  });

  // field: F082
  it('where it does not tell what is in use: that is never taken for all free, not even when forced', () => {
    for (const forceRule of [false, true]) {
      const found = judged({ inUseBytes: 0 }, { forceRule });
      expect(wordsOn(1, found)).toBe('sizes in use are not told: nothing can be predicted');
    }
  });
});

describe('cooldown', () => {
  const defragmented = (agoMs: number, failures = 0): Changes => ({
    lastDefrag: { at: ago(agoMs), beforeBytes: 2 * GiB, afterBytes: GiB, failures },
  });

  it('lets a member rest, and says for how long', () => {
    expect(wordsOn(1, judged(defragmented(2 * hourMs)))).toBe('defragmented 2 h ago, cooldown 6 h');
    expect(isDue(defragmented(6 * hourMs - 1))).toBe(false);
    expect(isDue(defragmented(6 * hourMs))).toBe(true);
  });

  // field: F068
  it.each([
    [1, 12],
    [2, 24],
    [5, 192],
    [9, 192],
  ])('doubles for each failure in a row, up to 32 times: after %d it is %d h', (failures, hours) => {
    expect(isDue(defragmented(hours * hourMs - 1, failures))).toBe(false);
    expect(isDue(defragmented(hours * hourMs, failures))).toBe(true);
  });

  it('says that the last attempts failed', () => {
    expect(wordsOn(1, judged(defragmented(90 * minuteMs, 1)))).toBe('the last attempt failed, 1 h ago: cooldown 12 h');
    expect(wordsOn(1, judged(defragmented(26 * hourMs, 3)))).toBe('the last 3 attempts failed, 1 d ago: cooldown 2 d');
  });

  it('holds for as long whether a record is dated a little ago or a little ahead, and not for years', () => {
    expect(isDue(defragmented(-2 * hourMs))).toBe(false);
    expect(isDue(defragmented(-365 * 24 * hourMs))).toBe(true);
  });

  describe('in an emergency', () => {
    const full: Changes = { dbSizeBytes: 7.5 * GiB, inUseBytes: 6 * GiB };

    it('does not hold', () => {
      const found = judged({ ...full, ...defragmented(minuteMs) });
      expect(found.steps).toMatchObject([{ isEmergency: true }]);
      expect(isDue({ ...full, dbSizeBytes: 7 * GiB, ...defragmented(minuteMs) })).toBe(false);
    });

    it('begins above emergencyUsage and not at it', () => {
      const isEmergency = (dbSizeBytes: number) =>
        judged({ dbSizeBytes, inUseBytes: GiB }, { emergencyUsage: 0.875 }).steps[0]?.isEmergency;
      expect(isEmergency(7 * GiB)).toBe(false);
      expect(isEmergency(7 * GiB + 1)).toBe(true);
    });

    // field: F068
    it.each([
      [1, 1],
      [2, 2],
      [5, 16],
    ])('holds all the same after failures: after %d for %d h, with whatever cooldown', (failures, hours) => {
      for (const cooldownMs of [0, 6 * hourMs]) {
        expect(isDue({ ...full, ...defragmented(hours * hourMs - 1, failures) }, { cooldownMs })).toBe(false);
        expect(isDue({ ...full, ...defragmented(hours * hourMs, failures) }, { cooldownMs })).toBe(true);
      }
    });
  });
});

describe('near its quota with nothing to gain', () => {
  // field: F075
  it('a member is not defragmented for ever', () => {
    const found = judged({ dbSizeBytes: 7.9 * GiB, inUseBytes: 7.88 * GiB });
    expect(found).toMatchObject({ verdict: 'go', steps: [] });
    expect(wordsOn(1, found)).toContain('20.4 MiB of 7.9 GiB reclaimable, less than minReclaim 32 MiB');
  });

  // field: F075
  it('nor with a little more than minReclaim to gain, by the rules that are there by default', () => {
    expect(isDue({ dbSizeBytes: 7.9 * GiB, inUseBytes: 7.85 * GiB })).toBe(false);
  });

  // field: F080
  // BC-14
  it('the reason hints that history may not be compacted, which this tool never does', () => {
    const found = judged({ dbSizeBytes: 7.9 * GiB, inUseBytes: 7.9 * GiB });
    expect(wordsOn(1, found)).toBe(
      'nothing of 7.9 GiB is reclaimable; 98.7% of its quota is taken and in use: if that is more than the keys need, history is not compacted, which etcd-warden never does (kube-apiserver or auto-compaction should)',
    );
    expect(wordsOn(1, judged({ dbSizeBytes: 7 * GiB, inUseBytes: 7 * GiB }))).not.toContain('compacted');
  });
});
