import { describe, expect, it } from 'vitest';
import { backupDeadlineMs, pruneDeadlineMs, verifyDeadlineMs } from '../../src/schedule/deadline.ts';

const gib = 2 ** 30;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

describe('a deadline', () => {
  it.each([
    ['backup', backupDeadlineMs],
    ['verify', verifyDeadlineMs],
  ])('of a %s is ten minutes and what its bytes take at 2 MiB/s', (_, deadlineMs) => {
    expect(deadlineMs(0, dayMs)).toBe(10 * minuteMs);
    expect(deadlineMs(8 * gib, dayMs)).toBe(10 * minuteMs + 4096 * 1000);
  });

  it('of retention is ten minutes and a second for each backup', () => {
    expect(pruneDeadlineMs(2300, dayMs)).toBe(10 * minuteMs + 2_300_000);
  });

  it.each([
    ['backup', backupDeadlineMs],
    ['verify', verifyDeadlineMs],
    ['retention', pruneDeadlineMs],
  ])('of a %s is never beyond the limit of any run, and just that where the size is not known', (_, deadlineMs) => {
    expect(deadlineMs(1000 * gib, dayMs)).toBe(dayMs);
    expect(deadlineMs(undefined, dayMs)).toBe(dayMs);
  });
});
