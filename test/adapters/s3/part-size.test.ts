import { describe, expect, it } from 'vitest';
import { partSizeFor } from '../../../src/adapters/s3/part-size.ts';

const mib = 1024 ** 2;
const gib = 1024 ** 3;

describe('partSizeFor', () => {
  it.each([
    [0, 8 * mib],
    [gib, 8 * mib],
    [64 * gib, 8 * mib],
    [100 * gib, 11 * mib],
    [1024 * gib, 111 * mib],
  ])('chooses for %i bytes parts that are few enough', (maxBytes, partBytes) => {
    expect(partSizeFor(maxBytes, 'auto')).toBe(partBytes);
    expect(maxBytes / partBytes).toBeLessThanOrEqual(10_000);
  });

  it('keeps to a configured size', () => {
    expect(partSizeFor(gib, 50 * mib)).toBe(50 * mib);
  });

  it('refuses sizes that S3 would refuse after hours', () => {
    expect(() => partSizeFor(gib, 5 * mib - 1)).toThrow(/at least 5MiB/);
    expect(() => partSizeFor(60 * gib, 5 * mib)).toThrow(/10000 parts/);
  });
});
