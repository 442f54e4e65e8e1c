import { describe, expect, it } from 'vitest';
import { backup, carryOut, dayMs, every, hourMs, keptIds, outcome, plan, removedIds } from './series.ts';

const now = new Date('2026-11-25T12:00Z');

describe('a backup in doubt', () => {
  it('does not count when it is damaged, but stays as long as a sound one would', () => {
    const backups = every(dayMs, 4, '2026-11-25').map((facts, at) =>
      at === 3 ? { ...facts, state: 'damaged' as const } : facts,
    );
    expect(outcome(plan({ daily: 2 }, backups))).toEqual({
      '2026-11-25T00:00':
        'keep: damaged: does not count, but stays as long as a sound one would (newest, day 2026-11-25, one of 1 that always stay)',
      '2026-11-24T00:00': 'keep: newest; day 2026-11-24; one of 1 that always stay',
      '2026-11-23T00:00': 'keep: day 2026-11-23',
      '2026-11-22T00:00': 'remove: no rule keeps it',
    });
  });

  it('goes when a sound one in its place would', () => {
    const backups = [backup('2026-11-20', { state: 'damaged' }), ...every(dayMs, 4, '2026-11-25')];
    expect(outcome(plan({ daily: 3 }, backups))['2026-11-20']).toBe(
      'remove: damaged, and no rule would keep it if it were sound',
    );
  });

  it('stays though newer ones are in doubt too: each is measured by the sound ones alone', () => {
    const backups = every(dayMs, 9, '2026-11-25').map((facts, at) =>
      at > 3 ? { ...facts, state: 'damaged' as const } : facts,
    );
    const found = plan({ keepLast: 2 }, backups, {
      accepted: new Set(['no-recent-backup'] as const),
    });
    expect(removedIds(found)).toEqual(['2026-11-18T00:00', '2026-11-17T00:00']);
    expect(found.verdict).toBe('go');
  });

  it('is neither the newest read back nor the newest drilled', () => {
    const proofs = { verifiedAt: now, drilledAt: now };
    const backups = [
      backup('2026-11-01', proofs),
      backup('2026-11-02', { ...proofs, state: 'damaged' }),
      backup('2026-11-03'),
    ];
    expect(outcome(plan({ keepLast: 1 }, backups, { now }))).toMatchObject({
      '2026-11-01': 'keep: newest read back; newest drilled',
      '2026-11-02': expect.stringContaining('(newest read back, newest drilled)') as string,
    });
  });

  it('may be dated in the future: then it takes nobody’s place', () => {
    const real = every(hourMs, 5, '2026-11-25T11:00');
    const forged = [1, 2, 3].map((days) =>
      backup(new Date(now.getTime() + days * dayMs), { storedAt: new Date('2026-11-25T10:30Z') }),
    );
    const found = plan({ keepLast: 3 }, [...real, ...forged], { now });
    expect(removedIds(found)).toEqual(['2026-11-25T08:00', '2026-11-25T07:00']);
    expect(outcome(found)['2026-11-28T12:00']).toBe(
      'keep: dated in the future: does not count, but stays as long as a sound one would (among the newest 3)',
    );
  });

  it('may be dated in the future: then it goes as one stored when it was', () => {
    const forged = backup('2030-01-01', { storedAt: new Date('2026-11-20T00:00Z') });
    const found = plan({ keepLast: 3 }, [...every(hourMs, 5, '2026-11-25T11:00'), forged], { now });
    expect(outcome(found)['2030-01-01']).toBe(
      'remove: dated in the future, and no rule would keep it if it were sound',
    );
  });

  it('does not count either once the day has come that it was dated for', () => {
    const forged = backup('2026-11-24', { storedAt: new Date('2026-11-01T00:00Z') });
    const found = plan({ keepLast: 2 }, [...every(dayMs, 9, '2026-11-25'), forged], { now });
    expect(keptIds(found)).toEqual(['2026-11-25T00:00', '2026-11-24T00:00']);
    expect(outcome(found)['2026-11-24']).toBe(
      'remove: dated 23 d after it was stored, and no rule would keep it if it were sound',
    );
  });

  it('is believed within five minutes, because no two clocks agree', () => {
    const real = every(hourMs, 3, '2026-11-25T11:00');
    const ahead = (ms: number) => backup(new Date(now.getTime() + ms), { id: 'ahead', storedAt: now });
    expect(keptIds(plan({ keepLast: 1 }, [...real, ahead(5 * 60_000)], { now }))).toEqual(['ahead']);
    expect(keptIds(plan({ keepLast: 1 }, [...real, ahead(5 * 60_000 + 1)], { now }))).toEqual([
      'ahead',
      '2026-11-25T11:00',
    ]);
  });

  it('may be stored long after its date: then it takes nobody’s place', () => {
    const storedAt = new Date('2026-11-24T12:00Z');
    const real = [backup('2026-11-10'), ...every(dayMs, 3, '2026-11-25')];
    const forged = ['2026-11-23T11:00', '2026-11-15'].map((id) => backup(id, { storedAt }));
    expect(outcome(plan({ daily: 4 }, [...real, ...forged], { now }))).toMatchObject({
      '2026-11-23T11:00':
        'keep: stored 1 d after its date: does not count, but stays as long as a sound one would (day 2026-11-24, day 2026-11-23)',
      '2026-11-23T00:00': 'keep: day 2026-11-23',
      '2026-11-15': expect.stringMatching(
        /^keep: stored 9 d after its date: .*\(day 2026-11-24, day 2026-11-15\)$/,
      ) as string,
      '2026-11-10': 'keep: day 2026-11-10',
    });
  });

  it('may be stored long after its date: then it stays while a backup of either day would', () => {
    const late = backup('2026-11-19', { storedAt: new Date('2026-11-22T12:00Z') });
    const whatIsLeft = (daily: number) => {
      const found = plan({ daily }, [late, ...every(dayMs, 8, '2026-11-25')], { now });
      return outcome(found)['2026-11-19'];
    };
    expect(whatIsLeft(4)).toContain('would (day 2026-11-22)');
    expect(whatIsLeft(3)).toBe('remove: stored 3 d after its date, and no rule would keep it if it were sound');
    const copy = backup('2026-11-23', { storedAt: new Date('2026-11-24T12:00Z') });
    expect(outcome(plan({ keepLast: 2 }, [copy, ...every(hourMs, 20, '2026-11-25')], { now }))['2026-11-23']).toBe(
      'remove: stored 1 d after its date, and no rule would keep it if it were sound',
    );
  });

  it('says every doubt that there is', () => {
    const both = backup('2026-11-20', { storedAt: new Date('2026-11-22'), state: 'damaged' });
    expect(outcome(plan({ keepLast: 1 }, [both, ...every(dayMs, 2, '2026-11-25')], { now }))['2026-11-20']).toBe(
      'remove: damaged and stored 2 d after its date, and no rule would keep it if it were sound',
    );
  });

  it('is kept for as long as nothing sound has come after it', () => {
    const copied = every(dayMs, 30, '2026-10-01').map((facts) => ({ ...facts, storedAt: now }));
    const found = plan({ keepLast: 3 }, copied, { now });
    expect(removedIds(found)).toEqual([]);
    expect(carryOut(found)).toHaveLength(30);
  });
});
