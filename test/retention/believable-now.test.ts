import { describe, expect, it } from 'vitest';
import { believableNow } from '../../src/retention/believable-now.ts';
import type { BackupFacts } from '../../src/retention/facts.ts';
import { planRetention } from '../../src/retention/plan-retention.ts';
import { keeping } from './series.ts';

const hourMs = 3_600_000;
const noon = Date.parse('2026-11-25T12:00:00Z');

/** Dated and stored so many hours before noon; stored a minute after it was taken. */
function backup(id: string, datedHours: number, storedHours = datedHours): BackupFacts {
  return {
    id,
    lineage: '0123456789abcdef',
    time: new Date(noon - datedHours * hourMs),
    revision: BigInt(1000 - Math.round(storedHours)),
    storedAt: new Date(noon - storedHours * hourMs + 60_000),
    state: 'complete',
    verifiedAt: undefined,
    drilledAt: undefined,
    holds: [],
    lockedUntil: undefined,
    storedBytes: 1,
  };
}

describe('The time by which ages are reckoned', () => {
  const sound = [backup('a', 3), backup('b', 2), backup('c', 1)];

  it.each([
    ['of this machine where nothing speaks against it', sound, 0, 0],
    ['of this machine where there is no backup', [], 5, 5],
    [
      'of this machine where the last backup is dated long before it was stored',
      [...sound, backup('d', 99, 0.5)],
      0,
      0,
    ],
    ['of the store where the last backup is dated after it was stored', [...sound, backup('d', -23, 0)], 23, 1 / 60],
    ['not before the last backup was stored, where only its writer ran ahead', [...sound, backup('d', -23, 0)], 0, 0],
  ])('is that %s', (_, backups, nowHours, expectedHours) => {
    const found = believableNow(new Date(noon + nowHours * hourMs), backups);
    expect((found.getTime() - noon) / hourMs).toBeCloseTo(expectedHours, 5);
  });

  it('makes nothing old when the clock jumps ahead', () => {
    const backups = [...sound, backup('d', -23, 0)];
    const jumped = new Date(noon + 23 * hourMs + 120_000);
    const policy = keeping({ keepWithinMs: 24 * hourMs, keepMin: 1, maxRemovedPercent: 100 });
    const removedAt = (now: Date): string[] =>
      planRetention(policy, { now, backups, lineage: undefined, expectedPerDay: 24 }).decisions.flatMap(
        ({ action, backup: { id } }) => (action === 'remove' ? [id] : []),
      );
    expect(removedAt(jumped)).toEqual(['c', 'b', 'a']);
    expect(removedAt(believableNow(jumped, backups))).toEqual([]);
  });
});
