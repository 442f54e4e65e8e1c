import { describe, expect, it } from 'vitest';
import { findCronFault } from '../../src/config/cron.ts';

const fieldRule = 'it takes five fields (minute, hour, day of month, month, day of week), or six with seconds first';

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
    '*/30 * * * * *',
    '0-30/10,45 */5 * * * *',
    '0 0 * * 5-7',
    // Exists in leap years.
    '0 0 29 2 *',
    // April has no 31st, but May has.
    '0 0 31 4,5 *',
  ])('takes %s', (expression) => {
    expect(findCronFault(expression)).toBeUndefined();
  });

  it.each([
    ['', fieldRule],
    ['* * * *', fieldRule],
    ['0 0 * * * * *', fieldRule],
    ['@daily', fieldRule],
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
    ['*/2/3 * * * *', 'the step of minute "*/2/3" is not from 1 to 59'],
    ['60 * * * * *', 'second takes 0 to 59, ranges, lists and steps, not "60"'],
    ['*/60 * * * * *', 'the step of second "*/60" is not from 1 to 59'],
    ['0 0 * * */7', 'the step of day of week "*/7" is not from 1 to 6'],
    ['0 0 * * fri-sun', 'day of week "fri-sun" counts down'],
    ['0 0 * oct-feb *', 'month "oct-feb" counts down'],
    // All of these node-cron 4.6 takes: for every day, special days, 50-59, 11, 12 and 7.
    ['0 0 ? * 1', 'day of month takes 1 to 31, ranges, lists and steps, not "?"'],
    ['0 0 L * *', 'day of month takes 1 to 31, ranges, lists and steps, not "L"'],
    ['0 0 15W * *', 'day of month takes 1 to 31, ranges, lists and steps, not "15W"'],
    ['0 0 * * 2#3', 'day of week takes 0 to 7, ranges, lists and steps, not "2#3"'],
    ['5* * * * *', 'minute takes 0 to 59, ranges, lists and steps, not "5*"'],
    ['0 0 * janjan *', 'month takes 1 to 12, ranges, lists and steps, not "janjan"'],
    ['0 0 * * monday', 'day of week takes 0 to 7, ranges, lists and steps, not "monday"'],
    ['007 * * * *', 'minute takes 0 to 59, ranges, lists and steps, not "007"'],
    ['0 0 * mon *', 'month takes 1 to 12, ranges, lists and steps, not "mon"'],
    ['0 0 31 2 *', 'no such day exists in any of its months'],
    ['0 0 31 4,6,9,11 *', 'no such day exists in any of its months'],
    ['0 0 1 * 1', 'day of month and day of week cannot both be set: it is unclear whether both or either must match'],
  ])('refuses %j', (expression, fault) => {
    expect(findCronFault(expression)).toBe(fault);
  });
});
