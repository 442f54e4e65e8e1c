import { describe, expect, it } from 'vitest';
import { formatAge, formatBytes, formatDuration, formatHash, formatTime } from '../src/format.ts';

describe('for people', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [1536, '1.50 KiB'],
    [20_480, '20.0 KiB'],
    [1_048_575, '1.00 MiB'],
    [10_239, '10.0 KiB'],
    [1_288_490_189, '1.20 GiB'],
    [2 ** 40 * 5000, '5000.0 TiB'],
  ])('%i bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [0, '0ms'],
    [999.4, '999ms'],
    [1234, '1.2s'],
    [59_949, '59.9s'],
    [59_960, '1m 0s'],
    [93_500, '1m 33s'],
    [3_600_000, '1h 0m'],
    [93_784_000, '26h 3m'],
  ])('%d milliseconds are %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it.each([
    ['2026-11-24T13:59:30Z', '30s'],
    ['2026-11-24T13:59:00Z', '1m'],
    ['2026-11-24T13:35:00Z', '25m'],
    ['2026-11-24T10:59:00Z', '3h 1m'],
    ['2026-11-21T10:00:00Z', '3d 4h'],
    ['2026-11-24T14:01:00Z', 'in the future'],
  ])('%s is an age of %s', (from, text) => {
    expect(formatAge(new Date(from), new Date('2026-11-24T14:00:00Z'))).toBe(text);
  });

  it('a time has whole seconds and is UTC', () => {
    expect(formatTime(new Date('2026-11-24T14:00:00.999Z'))).toBe('2026-11-24T14:00:00Z');
  });

  it('a hash is what etcdutl prints', () => {
    expect([formatHash(0xfe), formatHash(0xdeadbeef)]).toEqual(['fe', 'deadbeef']);
  });
});
