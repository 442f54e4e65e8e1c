import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/retention/plan.ts';
import { refuseDecisions } from '../../src/retention/refusals.ts';
import { backup, carryOut, dayMs, every, hourMs, keeping, plan, refusalOf, removedIds } from './series.ts';

const hundred = every(dayMs, 100, '2026-11-25');
const now = new Date('2026-11-25T12:00Z');

describe('retention refuses', () => {
  it('a policy that keeps nothing, and removes nothing by it', () => {
    const found = plan({}, hundred);
    expect(refusalOf(found)).toBe(
      'empty-policy: the policy keeps nothing: keepWithin and keepLast, hourly, daily, weekly, monthly, yearly are all 0',
    );
    expect(removedIds(found)).toEqual([]);
    expect(found.decisions[99]?.reasons).toEqual(['nothing is removed under such a policy']);
  });

  it.each([
    [{ daily: -1 }, 'daily must be an integer ≥ 0, got -1'],
    [{ weekly: 1.5 }, 'weekly must be an integer ≥ 0, got 1.5'],
    [{ keepLast: Number.NaN }, 'keepLast must be an integer ≥ 0, got NaN'],
    [{ hourly: Number.POSITIVE_INFINITY }, 'hourly must be an integer ≥ 0, got Infinity'],
    [{ keepWithinMs: Number.NaN }, 'keepWithinMs must be a number ≥ 0, got NaN'],
    [{ keepWithinMs: -1 }, 'keepWithinMs must be a number ≥ 0, got -1'],
    [{ maxRemovedPercent: Number.NaN }, 'maxRemovedPercent must be a number ≥ 0, got NaN'],
    [{ keepMin: 0 }, 'keepMin must be at least 1, got 0'],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone must be an IANA name, got "Mars/Olympus"'],
  ])('a policy with %o, and removes nothing by it', (changes, explanation) => {
    const found = plan({ keepLast: 5, ...changes }, hundred);
    expect(refusalOf(found)).toBe(`empty-policy: ${explanation}`);
    expect(removedIds(found)).toEqual([]);
  });

  it('to trust a clock that is behind store and backups, though nothing would be removed', () => {
    const found = plan({ keepLast: 500 }, hundred, { now: new Date('2026-11-20T12:00Z') });
    expect(refusalOf(found)).toBe(
      'clock-behind-newest: backup 2026-11-25T00:00 is dated 2026-11-25T00:00:00Z and was stored at ' +
        '2026-11-25T00:00:20Z, but the clock here says 2026-11-20T12:00:00Z',
    );
  });

  it('not, where only a date is in the future and the store says otherwise', () => {
    const found = plan({ keepLast: 500 }, [...hundred, backup('2027-01-01', { storedAt: now })], { now });
    expect(found.verdict).toBe('go');
  });

  it('to remove more at once than maxRemovedPercent allows, and says what it would have done', () => {
    const found = plan({ keepLast: 29, maxRemovedPercent: 50 }, hundred);
    expect(refusalOf(found)).toBe(
      'too-many-at-once: 70 of 99 backups that were there a day ago would be removed at once, more than maxRemovedPercent 50% allows',
    );
    expect(removedIds(found)).toHaveLength(71);
  });

  it('not, where it is exactly what maxRemovedPercent allows', () => {
    const even = every(dayMs, 101, '2026-11-25');
    expect(refusalOf(plan({ keepLast: 50, maxRemovedPercent: 50 }, even))).toBe('go');
    expect(refusalOf(plan({ keepLast: 49, maxRemovedPercent: 50 }, even))).toMatch(/^too-many-at-once: 51 of 100 /);
  });

  it('not, where new backups alone push out the old ones, however many they are', () => {
    let left = every(dayMs / 2, 2, '2026-11-01');
    const verdicts = new Set<string>();
    for (let day = 2; day <= 20; day += 1) {
      const until = `2026-11-${String(day).padStart(2, '0')}T00:00`;
      const found = plan({ keepLast: 24, maxRemovedPercent: 50 }, [...left, ...every(hourMs / 2, 48, until)]);
      verdicts.add(refusalOf(found));
      left = carryOut(found);
    }
    expect([...verdicts]).toEqual(['go']);
    expect(left).toHaveLength(24);
  });

  it('the most basic cause first', () => {
    const other = backup('2026-11-24T12:00', { lineage: 'ffffffffffffffff' });
    const behind = new Date('2026-11-20T12:00Z');
    expect(plan({}, [...hundred, other], { now: behind })).toMatchObject({ because: 'empty-policy' });
    expect(plan({ keepLast: 1 }, [...hundred, other], { now: behind })).toMatchObject({
      because: 'clock-behind-newest',
    });
    expect(plan({ keepLast: 1, maxRemovedPercent: 1 }, [...hundred, other])).toMatchObject({
      because: 'other-lineage',
    });
    const flood = every(hourMs / 4, 90, '2026-11-25T10:00');
    expect(plan({ keepLast: 1, maxRemovedPercent: 1 }, [...hundred, ...flood], { expectedPerDay: 1 })).toMatchObject({
      because: 'unexplained-backups',
    });
  });
});

/** The rules never decide such things; the last look is there for the day when a change breaks one of them. */
describe('the last look at what would be removed', () => {
  const look = (decisions: Decision[], keepMin = 1) => {
    const found = refuseDecisions(
      decisions,
      keeping({ keepMin }),
      { now, expectedPerDay: 1 },
      { accepted: new Set(), decideAt: () => [] },
    );
    return found === undefined ? 'go' : `${found.because}: ${found.explanation}`;
  };
  const keep = (facts: Decision['backup']): Decision => ({ backup: facts, action: 'keep', reasons: ['newest'] });
  const remove = (facts: Decision['backup']): Decision => ({
    backup: facts,
    action: 'remove',
    reasons: ['by mistake'],
  });
  const five = every(dayMs, 5, '2026-11-25');

  it('refuses to leave none that counts', () => {
    const damaged = backup('2026-11-25T10:00', { state: 'damaged' });
    expect(look([keep(damaged), ...five.map(remove)])).toBe(
      'no-verified-backup-left: none of 5 backups that count would stay',
    );
    expect(look([remove(damaged)])).toBe('no-verified-backup-left: none of 0 backups that count would stay');
  });

  it('refuses to leave none that was read back, where there is one', () => {
    const readBack = backup('2026-11-01', { verifiedAt: now });
    expect(look([...five.map(keep), remove(readBack)])).toBe(
      'no-verified-backup-left: none of 1 backup that a read-back verified would stay',
    );
    expect(look([...five.map(keep), keep(readBack), remove({ ...readBack, id: 'another' })])).toBe('go');
  });

  it('refuses to go below keepMin', () => {
    const decisions = five.map((facts, at) => (at < 2 ? keep(facts) : remove(facts)));
    expect(look(decisions, 2)).toBe('go');
    expect(look(decisions, 3)).toBe(
      'below-keep-min: 2 of 5 backups that count would stay, fewer than keepMin 3 demands',
    );
  });

  it('refuses to remove even damaged ones where fewer than keepMin count', () => {
    const damaged = backup('2026-11-01', { state: 'damaged' });
    expect(look([...five.map(keep), remove(damaged)], 5)).toBe('go');
    expect(look([...five.map(keep), remove(damaged)], 6)).toBe(
      'below-keep-min: 5 of 5 backups that count would stay, fewer than keepMin 6 demands',
    );
  });

  it('has nothing to say where nothing would be removed', () => {
    expect(look([keep(backup('2026-11-01', { state: 'damaged' }))], 3)).toBe('go');
  });
});
