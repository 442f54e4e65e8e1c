import { describe, expect, it } from 'vitest';
import { backup, dayMs, every, hourMs, plan, removedIds } from './series.ts';

const lastAt = '2026-11-25T00:00';
const later = (ms: number) => new Date(Date.parse(`${lastAt}Z`) + ms);

describe('while no new backups come', () => {
  const verdict = (stepMs: number, ageMs: number, changes = {}) => {
    const found = plan({ keepWithinMs: 3 * stepMs }, every(stepMs, 10, lastAt), { now: later(ageMs), ...changes });
    return found.verdict === 'go' ? 'go' : found.because;
  };

  it.each([
    ['hourly ones, for a day', hourMs, dayMs, 'go'],
    ['hourly ones, for more than a day', hourMs, dayMs + hourMs, 'no-recent-backup'],
    ['daily ones, for three days', dayMs, 3 * dayMs, 'go'],
    ['daily ones, for more than three days', dayMs, 3 * dayMs + hourMs, 'no-recent-backup'],
    ['weekly ones, for two weeks', 7 * dayMs, 14 * dayMs, 'go'],
  ])('%s: %3$s', (_, stepMs, ageMs, expected) => {
    expect(verdict(stepMs, ageMs)).toBe(expected);
  });

  it('who accepts the pause prunes all the same', () => {
    expect(verdict(hourMs, 30 * dayMs, { accepted: new Set(['no-recent-backup']) })).toBe('go');
  });

  it('doubtful new ones do not hide the pause', () => {
    const damaged = backup(later(9 * dayMs), { state: 'damaged' });
    const found = plan({ keepLast: 2 }, [...every(hourMs, 10, lastAt), damaged], { now: later(10 * dayMs) });
    expect(found).toMatchObject({ verdict: 'refuse', because: 'no-recent-backup' });
  });

  it('a plan that removes nothing is no reason to refuse', () => {
    const found = plan({ keepLast: 10 }, every(hourMs, 10, lastAt), { now: later(100 * dayMs) });
    expect([found.verdict, removedIds(found)]).toEqual(['go', []]);
  });

  it('a single backup tells nothing of how often they come', () => {
    const [only] = every(hourMs, 1, lastAt);
    const old = backup('2020-01-01', { state: 'damaged' });
    const found = plan({ keepLast: 1 }, [only ?? old, old], { now: later(100 * dayMs) });
    expect(found.verdict).toBe('go');
  });
});
