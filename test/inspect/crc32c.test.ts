import { crc32c as direct } from '@node-rs/crc32';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteSpan } from '../../src/inspect/byte-span.ts';
import { crc32c, crcOfRest, joinCrc } from '../../src/inspect/crc32c.ts';

const bytes = fc.uint8Array({ maxLength: 2000 });

test('the CRC of any part is that of the native implementation, small or large', () => {
  fc.assert(
    fc.property(bytes, fc.nat(), fc.nat(), (whole, a, b) => {
      const [from, to] = [a % (whole.length + 1), b % (whole.length + 1)].sort((x, y) => x - y) as [number, number];
      const before = direct(whole.subarray(0, from));
      expect(crc32c(byteSpan(whole), from, to, before)).toBe(direct(whole.subarray(0, to)));
    }),
  );
});

test('CRCs of two pieces give the CRC of both, and that of the whole gives back the second', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const whole = direct(b, direct(a));
      expect(joinCrc(direct(a), direct(b), b.length)).toBe(whole);
      expect(crcOfRest(direct(a), whole, b.length)).toBe(direct(b));
    }),
  );
});

test('pieces join over lengths beyond 32 bits', () => {
  const a = direct('some bytes');
  // 5 GiB of zeros at once, and as 5 times 1 GiB.
  const gibibyte = 2 ** 30;
  let stepwise = a;
  for (let i = 0; i < 5; i++) stepwise = joinCrc(stepwise, 0, gibibyte);
  expect(joinCrc(a, 0, 5 * gibibyte)).toBe(stepwise);
});
