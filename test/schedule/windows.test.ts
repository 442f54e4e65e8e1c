import { describe, expect, it } from 'vitest';
import { isWindowOpen, type TimeWindow } from '../../src/schedule/windows.ts';

const everyDay = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const nights: TimeWindow = { days: everyDay, from: '01:00', to: '05:00' };
const overMidnight: TimeWindow = { days: ['fri', 'sun'], from: '22:30', to: '02:15' };

const isOpenAt = (windows: readonly TimeWindow[], time: string, timeZone = 'UTC'): boolean =>
  isWindowOpen(windows, timeZone, new Date(time));

describe('a window', () => {
  it('is always open where there is none', () => {
    expect(isOpenAt([], '2026-11-24T12:00:00Z')).toBe(true);
  });

  it.each([
    ['00:59:59.999', false],
    ['01:00:00', true],
    ['04:59:59.999', true],
    ['05:00:00', false],
    ['13:00:00', false],
  ])('is open from its beginning to before its end: %s %s', (time, isOpen) => {
    expect(isOpenAt([nights], `2026-11-24T${time}Z`)).toBe(isOpen);
  });

  it('opens on its days only', () => {
    const tuesdays = [{ ...nights, days: ['tue'] as const }];
    expect(isOpenAt(tuesdays, '2026-11-24T02:00:00Z')).toBe(true);
    expect(isOpenAt(tuesdays, '2026-11-25T02:00:00Z')).toBe(false);
  });

  it.each([
    ['friday evening', '2026-11-27T22:30:00Z', true],
    ['friday, a little earlier', '2026-11-27T22:29:59Z', false],
    ['the night after', '2026-11-28T02:14:59Z', true],
    ['when that ends', '2026-11-28T02:15:00Z', false],
    ['saturday evening', '2026-11-28T23:00:00Z', false],
    ['the night from sunday to monday', '2026-11-30T00:00:00Z', true],
    ['the night from thursday to friday', '2026-11-27T01:00:00Z', false],
  ])('that ends on the next day belongs to the day on which it opens: %s', (_, time, isOpen) => {
    expect(isOpenAt([overMidnight], time)).toBe(isOpen);
  });

  it('is open if any one is', () => {
    expect(isOpenAt([nights, overMidnight], '2026-11-27T23:00:00Z')).toBe(true);
    expect(isOpenAt([nights, overMidnight], '2026-11-24T03:00:00Z')).toBe(true);
    expect(isOpenAt([nights, overMidnight], '2026-11-24T06:00:00Z')).toBe(false);
  });

  it('goes by the local clock, whatever that does', () => {
    // 00:30 UTC is 02:30 in summer, 01:30 in winter; on this night 02:00 to 03:00 comes twice.
    const early = [{ days: everyDay, from: '02:00', to: '02:45' }];
    const open = ['00:30', '00:50', '01:30', '01:50'].map((time) =>
      isOpenAt(early, `2026-10-25T${time}:00Z`, 'Europe/Berlin'),
    );
    expect(open).toEqual([true, false, true, false]);
  });

  it('that would open in an hour that is left out opens right after it', () => {
    const early = [{ days: everyDay, from: '02:30', to: '04:00' }];
    expect(isOpenAt(early, '2026-03-29T00:59:59Z', 'Europe/Berlin')).toBe(false);
    expect(isOpenAt(early, '2026-03-29T01:00:00Z', 'Europe/Berlin')).toBe(true);
  });
});
