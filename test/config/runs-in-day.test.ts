import { describe, expect, it } from 'vitest';
import { runsInDay } from '../../src/config/cron.ts';

describe('How often a schedule comes due in a day', () => {
  it.each([
    ['* * * * *', 1440],
    ['*/30 * * * *', 48],
    ['15 3 * * *', 1],
    ['0,30 1-4 * * mon', 8],
    ['0,0-10/5 */6 1 * *', 12],
    ['*/20 * * * * *', 4320],
    ['0,30 15 3 * * *', 2],
  ])('%s: %i times', (expression, times) => {
    expect(runsInDay(expression)).toBe(times);
  });
});
