import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatDuration,
  formatPercentage,
  formatQuotaShare,
  formatSize,
  parseDuration,
  parsePercentage,
  parseQuotaShare,
  parseSize,
} from '../../src/config/units.ts';

const wholeNumber = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
/** As finely as a percentage can be written: four decimals. */
const fraction = fc.integer({ min: 0, max: 1_000_000 }).map((millionths) => millionths / 1_000_000);

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['15m', 900_000],
    ['6h', 21_600_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toEqual({ ms });
  });

  it.each([
    '',
    '30',
    's',
    '1.5h',
    '-1s',
    '+1s',
    '1h30m',
    '30 s',
    ' 30s',
    '30s ',
    '30s\n',
    '1M',
    '1w',
    '1y',
    '0x1s',
    '30S',
    '١s',
    '9007199254740993ms',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('are written so that they read the same', () => {
    fc.assert(
      fc.property(wholeNumber, (ms) => {
        expect(parseDuration(formatDuration({ ms }))).toEqual({ ms });
      }),
    );
  });
});

describe('sizes', () => {
  it.each([
    ['0', 0],
    ['0B', 0],
    ['512B', 512],
    ['64KiB', 65_536],
    ['64MiB', 67_108_864],
    ['8GiB', 8_589_934_592],
    ['1TiB', 1_099_511_627_776],
  ])('reads %s', (text, bytes) => {
    expect(parseSize(text)).toEqual({ bytes });
  });

  it.each([
    '',
    '8',
    '8Gi',
    '8G',
    '8GB',
    '8gib',
    '8 GiB',
    '1.5GiB',
    '-1B',
    '1e3B',
    '8GiB\n',
    '8PiB',
    '9007199254740993B',
    '999999999999999TiB',
  ])('refuses %j, which could mean something else', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });

  it('are written so that they read the same', () => {
    fc.assert(
      fc.property(wholeNumber, (bytes) => {
        expect(parseSize(formatSize({ bytes }))).toEqual({ bytes });
      }),
    );
  });
});

describe('percentages', () => {
  it.each([
    ['0%', 0],
    ['80%', 0.8],
    ['12.5%', 0.125],
    ['100%', 1],
  ])('reads %s', (text, value) => {
    expect(parsePercentage(text)).toEqual({ fraction: value });
    expect(parseQuotaShare(`${text}ofQuota`)).toEqual({ fractionOfQuota: value });
  });

  it.each(['', '%', '80', '101%', '100.1%', '-1%', '80 %', '0.8', '1e1%', '80%%', '80%ofquota', '80%\n'])(
    'refuses %j',
    (text) => {
      expect(parsePercentage(text)).toBeUndefined();
      expect(parseQuotaShare(text)).toBeUndefined();
    },
  );

  it('are written so that they read the same', () => {
    fc.assert(
      fc.property(fraction, (value) => {
        expect(parsePercentage(formatPercentage({ fraction: value }))?.fraction).toBeCloseTo(value, 12);
        expect(parseQuotaShare(formatQuotaShare({ fractionOfQuota: value }))?.fractionOfQuota).toBeCloseTo(value, 12);
      }),
    );
  });
});
