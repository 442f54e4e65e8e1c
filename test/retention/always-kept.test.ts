import { describe, expect, it } from 'vitest';
import type { BackupFacts } from '../../src/retention/facts.ts';
import { dayMs, every, keptIds, outcome, plan } from './series.ts';

const week = every(dayMs, 7, '2026-11-25');
const changed = (index: number, changes: Partial<BackupFacts>) =>
  week.map((facts, at) => (at === index ? { ...facts, ...changes } : facts));
const now = new Date('2026-11-25T01:00Z');

describe('retention always keeps', () => {
  it('the newest backup', () => {
    expect(keptIds(plan({ yearly: 1 }, week))).toEqual(['2026-11-25T00:00']);
  });

  it('the newest one that a read-back verified, however old it is', () => {
    const verified = week.map((facts, at) => (at < 3 ? { ...facts, verifiedAt: now } : facts));
    const found = plan({ keepLast: 1 }, verified);
    expect(keptIds(found)).toEqual(['2026-11-25T00:00', '2026-11-21T00:00']);
    expect(outcome(found)['2026-11-21T00:00']).toBe('keep: newest read back');
  });

  it('the newest one that a drill proved, however old it is', () => {
    const found = plan({ keepLast: 1 }, changed(1, { drilledAt: now }));
    expect(outcome(found)['2026-11-20T00:00']).toBe('keep: newest drilled');
    expect(keptIds(found)).toHaveLength(2);
  });

  it('the newest keepMin', () => {
    const found = plan({ keepLast: 1, keepMin: 3 }, week);
    expect(keptIds(found)).toEqual(['2026-11-25T00:00', '2026-11-24T00:00', '2026-11-23T00:00']);
    expect(outcome(found)['2026-11-23T00:00']).toBe('keep: one of 3 that always stay');
  });

  it('what is held, and says by which holds', () => {
    const found = plan({ keepLast: 1 }, changed(0, { holds: ['audit', 'before-upgrade'] }));
    expect(outcome(found)['2026-11-19T00:00']).toBe('keep: held: audit, before-upgrade');
  });

  it('what is held, though it is damaged', () => {
    const found = plan({ keepLast: 1 }, changed(0, { holds: ['audit'], state: 'damaged' }));
    expect(outcome(found)['2026-11-19T00:00']).toBe('keep: damaged: does not count; held: audit');
  });

  it('as many others beside a held one as without it, where it lies outside the rules', () => {
    expect(keptIds(plan({ keepLast: 2 }, changed(0, { holds: ['audit'] })))).toEqual([
      '2026-11-25T00:00',
      '2026-11-24T00:00',
      '2026-11-19T00:00',
    ]);
  });

  it('a held one in its turn, so that it takes the place of another', () => {
    expect(keptIds(plan({ keepLast: 2 }, changed(6, { holds: ['audit'] })))).toHaveLength(2);
  });

  it('what the store will not let go, and says until when', () => {
    const found = plan({ keepLast: 1 }, changed(0, { lockedUntil: new Date('2026-12-24T18:00Z') }), { now });
    expect(outcome(found)['2026-11-19T00:00']).toBe('keep: locked until 2026-12-24T18:00:00Z');
  });

  it('no lock that has ended', () => {
    expect(keptIds(plan({ keepLast: 1 }, changed(0, { lockedUntil: now }), { now }))).toHaveLength(1);
  });
});
