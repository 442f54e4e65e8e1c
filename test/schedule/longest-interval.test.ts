import { describe, expect, it } from 'vitest';
import { parseCron } from '../../src/config/cron.ts';
import { longestIntervalSeconds } from '../../src/schedule/longest-interval.ts';

const hour = 3600;
const day = 24 * hour;

describe('the longest distance between two runs', () => {
  it.each([
    ['* * * * * *', 1],
    ['*/20 * * * * *', 20],
    ['*/30 * * * *', 1800],
    // Seven does not divide an hour: the last distance of each is the shortest.
    ['*/7 * * * *', 420],
    ['0,5 * * * *', 55 * 60],
    // 86,400 and not 90,000, which it is once a year where clocks change.
    ['15 3 * * *', day],
    ['0 8-18 * * *', 14 * hour],
    // From Friday evening to Monday morning.
    ['0 8-18 * * 1-5', 62 * hour],
    ['0 0 * * 0', 7 * day],
    ['30 4 1 * *', 31 * day],
    ['0 0 31 * *', 61 * day],
    ['0 0 1 1 *', 366 * day],
    ['0 0 29 2 *', (4 * 365 + 1) * day],
    // From the last Monday of one January to the first of the next.
    ['0 0 * 1 1', 343 * day],
    ['0 0 1 1,2 *', 335 * day],
  ])('of %s is %i s', (expression, seconds) => {
    expect(longestIntervalSeconds(parseCron(expression))).toBe(seconds);
  });
});
