import { describe, expect, it } from 'vitest';
import { backup, dayMs, every, hourMs, keptIds, outcome, plan, removedIds } from './series.ts';

/** Ten days, then a restore from an old snapshot: the cluster id is the same, revisions begin again. */
const lost = every(hourMs, 240, '2026-11-20T00:00').map((facts, at) => ({ ...facts, revision: BigInt(5000 + at) }));
const since = every(hourMs, 48, '2026-11-22T00:00').map((facts, at) => ({ ...facts, revision: BigInt(4 + at) }));
const policy = { keepLast: 24 };

describe('a cluster whose revisions went back', () => {
  it('keeps all from before, counts none of it, and thins what came since', () => {
    const found = plan(policy, [...lost, ...since]);
    expect(found.verdict).toBe('go');
    expect(removedIds(found)).toEqual(
      since
        .slice(0, 24)
        .map(({ id }) => id)
        .toReversed(),
    );
    expect(outcome(found)['2026-11-20T00:00']).toBe('keep: from before the cluster went back to revision 4');
  });

  it('is thinned as a whole once somebody says so', () => {
    const found = plan(policy, [...lost, ...since], { accepted: new Set(['revision-went-back'] as const) });
    expect(keptIds(found)).toHaveLength(24);
  });

  it('says who holds what from before', () => {
    const held = lost.map((facts, at) => (at === 0 ? { ...facts, holds: ['audit'] } : facts));
    expect(outcome(plan(policy, [...held, ...since]))[lost[0]?.id ?? '']).toMatch(/; held: audit$/);
  });

  it('is not seen in runs that overlap, nor in ids without a revision', () => {
    const steady = every(dayMs, 9, '2026-11-25').map((facts, at) => ({ ...facts, revision: BigInt(100 * at) }));
    const beside = backup('2026-11-25T00:02', { revision: 799n });
    const unknown = backup('2026-11-25T01:00', { revision: 0n });
    expect(keptIds(plan({ keepLast: 3 }, [...steady, beside, unknown]))).toHaveLength(3);
  });

  it('is not made by a backup that does not count', () => {
    const steady = every(dayMs, 9, '2026-11-25').map((facts, at) => ({ ...facts, revision: BigInt(100 * at) }));
    const forged = backup('2026-11-24T12:00', { revision: 1n, state: 'damaged' });
    expect(removedIds(plan({ keepLast: 3 }, [...steady, forged]))).toHaveLength(6);
  });
});
