import { describe, expect, it } from 'vitest';
import { parseCron } from '../../src/config/cron.ts';

const upTo = (last: number, first = 0): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe('what a cron expression says', () => {
  it('is at second 0 where it has five fields', () => {
    expect(parseCron('15 3 * * *')).toEqual({
      seconds: [0],
      minutes: [15],
      hours: [3],
      daysOfMonth: upTo(31, 1),
      months: upTo(12, 1),
      daysOfWeek: upTo(6),
      isPeriodic: false,
    });
  });

  it('begins with the seconds where it has six', () => {
    expect(parseCron('*/20 5 * * * *')).toMatchObject({ seconds: [0, 20, 40], minutes: [5], hours: upTo(23) });
  });

  it('is sorted and without doubles, however it is written', () => {
    expect(parseCron('  40,10,0-10/5,10 20-22,1  *  DEC,feb,2 * ')).toMatchObject({
      minutes: [0, 5, 10, 40],
      hours: [1, 20, 21, 22],
      months: [2, 12],
    });
  });

  it.each([
    ['0', [0]],
    ['7', [0]],
    ['5-7', [0, 5, 6]],
    ['0-7', upTo(6)],
    ['mon-fri', [1, 2, 3, 4, 5]],
    ['sat,SUN', [0, 6]],
    ['*/2', [0, 2, 4, 6]],
  ])('reads %s as days of the week %j', (text, days) => {
    expect(parseCron(`0 0 * * ${text}`).daysOfWeek).toEqual(days);
  });

  it.each([
    ['*', true],
    ['*/2', true],
    ['0-23', true],
    ['0-23/2', false],
    ['1-23', false],
    ['3', false],
  ])('an hour field %s is periodic: %s', (hours, isPeriodic) => {
    expect(parseCron(`0 ${hours} * * *`).isPeriodic).toBe(isPeriodic);
  });

  it('is nothing where the expression is wrong', () => {
    expect(() => parseCron('61 * * * *')).toThrow('61');
  });
});
