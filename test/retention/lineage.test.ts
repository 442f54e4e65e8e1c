import { describe, expect, it } from 'vitest';
import { backup, dayMs, every, keptIds, lineage, plan, refusalOf, removedIds } from './series.ts';

const lost = 'ffffffffffffffff';
const old = every(dayMs, 10, '2026-10-31').map((facts) => ({ ...facts, lineage: lost }));
const young = every(dayMs, 3, '2026-11-25');

describe('retention of a cluster that was rebuilt', () => {
  it('looks after the lineage of the newest backup and leaves the lost one alone', () => {
    const found = plan({ keepLast: 2 }, [...old, ...young]);
    expect(found).toMatchObject({ verdict: 'go', lineage });
    expect(removedIds(found)).toEqual(['2026-11-23T00:00']);
    expect(found.decisions).toHaveLength(3);
  });

  it('does not turn on the lost one because the new one is damaged', () => {
    const damaged = young.map((facts) => ({ ...facts, state: 'damaged' as const }));
    const found = plan({ keepLast: 1 }, [...old, ...damaged]);
    expect(found).toMatchObject({ verdict: 'go', lineage });
    expect(removedIds(found)).toEqual([]);
  });

  it('looks after the lineage that was asked for, and after no other', () => {
    const found = plan({ keepLast: 1 }, [...old, ...young], {
      lineage: lost,
      accepted: new Set(['no-recent-backup'] as const),
    });
    expect(found).toMatchObject({ verdict: 'go', lineage: lost });
    expect(keptIds(found)).toEqual(['2026-10-31T00:00']);
    expect(found.decisions).toHaveLength(10);
  });

  it('refuses where two lineages have backups from the same time, and names them', () => {
    const living = [...old, backup('2026-11-24T12:00', { lineage: lost })];
    expect(refusalOf(plan({ keepLast: 2 }, [...living, ...young]))).toBe(
      'other-lineage: 2 lineages have backups from the same time, so it is not clear which one is meant: ' +
        '0123456789abcdef (3 backups, newest 2026-11-25T00:00:00Z), ffffffffffffffff (11 backups, newest 2026-11-24T12:00:00Z)',
    );
  });

  it('refuses also where nothing would be removed', () => {
    const living = [...old, backup('2026-11-24T12:00', { lineage: lost })];
    expect(plan({ keepLast: 99 }, [...living, ...young])).toMatchObject({ because: 'other-lineage' });
  });

  it('does not refuse where it was told which lineage is meant', () => {
    const living = [...old, backup('2026-11-24T12:00', { lineage: lost })];
    const found = plan({ keepLast: 2 }, [...living, ...young], { lineage });
    expect(found).toMatchObject({ verdict: 'go', lineage });
    expect(removedIds(found)).toEqual(['2026-11-23T00:00']);
  });

  it('takes no date in the future for the newest', () => {
    const misdated = backup('2031-01-01', { lineage: lost, storedAt: new Date('2026-10-05T00:00Z') });
    const found = plan({ keepLast: 2 }, [...old, misdated, ...young], { now: new Date('2026-11-25T01:00Z') });
    expect(found).toMatchObject({ verdict: 'go', lineage });
  });

  it('has nothing to do where there is no backup', () => {
    expect(plan({ keepLast: 2 }, [])).toEqual({ verdict: 'go', lineage: undefined, decisions: [], counted: 0 });
  });

  it('has nothing to do where the lineage that was asked for has none', () => {
    expect(plan({ keepLast: 2 }, old, { lineage })).toEqual({ verdict: 'go', lineage, decisions: [], counted: 0 });
  });
});
