import { describe, expect, it } from 'vitest';
import { findCronFault } from '../../src/config/cron.ts';

describe('a cron expression', () => {
  it.each([
    '* * * * *',
    '*/30 * * * *',
    '15 3 * * *',
    '30 4 * * 0',
    '0 0 1 1 *',
    '0,15,30,45 * * * *',
    '0 8-18/2 * * mon-fri',
    '0 0 * JAN,jul *',
    '0 0 * * 7',
    '  5   4 * * *  ',
    '*/59 * * * *',
    // Exists in leap years.
    '0 0 29 2 *',
    // April has no 31st, but May has.
    '0 0 31 4,5 *',
  ])('takes %s', (expression) => {
    expect(findCronFault(expression)).toBeUndefined();
  });

  it.each([
    ['', 'it takes five fields: minute, hour, day of month, month, day of week'],
    ['* * * *', 'it takes five fields: minute, hour, day of month, month, day of week'],
    ['0 * * * * *', 'it takes five fields: minute, hour, day of month, month, day of week'],
    ['@daily', 'it takes five fields: minute, hour, day of month, month, day of week'],
    ['60 * * * *', 'minute takes 0 to 59, ranges, lists and steps, not "60"'],
    ['* 24 * * *', 'hour takes 0 to 23, ranges, lists and steps, not "24"'],
    ['* * 0 * *', 'day of month takes 1 to 31, ranges, lists and steps, not "0"'],
    ['* * * 13 *', 'month takes 1 to 12, ranges, lists and steps, not "13"'],
    ['* * * * 8', 'day of week takes 0 to 7, ranges, lists and steps, not "8"'],
    ['* * * * someday', 'day of week takes 0 to 7, ranges, lists and steps, not "someday"'],
    // node-cron 4.6 takes this one and runs it hourly.
    ['*/61 * * * *', 'the step of minute "*/61" is not from 1 to 59'],
    ['*/0 * * * *', 'the step of minute "*/0" is not from 1 to 59'],
    ['*/x * * * *', 'the step of minute "*/x" is not from 1 to 59'],
    ['10-12/3 * * * *', 'the step of minute "10-12/3" is not from 1 to 2'],
    ['5/10 * * * *', 'minute "5/10" has a step but no range'],
    ['30-10 * * * *', 'minute "30-10" counts down'],
    ['1,,2 * * * *', 'minute takes 0 to 59, ranges, lists and steps, not ""'],
    ['1-2-3 * * * *', 'minute takes 0 to 59, ranges, lists and steps, not "1-2-3"'],
    ['-1 * * * *', 'minute takes 0 to 59, ranges, lists and steps, not "-1"'],
    ['0 0 31 2 *', 'no such day exists in any of its months'],
    ['0 0 31 4,6,9,11 *', 'no such day exists in any of its months'],
    ['0 0 1 * 1', 'day of month and day of week cannot both be set: it is unclear whether both or either must match'],
  ])('refuses %j', (expression, fault) => {
    expect(findCronFault(expression)).toBe(fault);
  });
});
