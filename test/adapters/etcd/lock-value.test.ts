import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeLockValue, encodeLockValue } from '../../../src/adapters/etcd/lock-value.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const since = new Date('2026-11-25T04:05:06.007Z');

test('tells the holder and since when', () => {
  const value = encodeLockValue('host-a, process 7, backup', since);
  expect(decodeLockValue(bytes(value))).toEqual({ holder: 'host-a, process 7, backup', since });
});

test('a holder is one line of bounded length that steers no terminal', () => {
  const hostile = `a\u{1b}[2J\nb\u{202e}c\u{2028}d${'e'.repeat(1000)}`;
  for (const value of [encodeLockValue(hostile, since), JSON.stringify({ version: 1, holder: hostile, since })]) {
    const { holder } = decodeLockValue(bytes(value));
    expect(holder).toMatch(/^a \[2J b c de{180,}$/);
    expect(holder.length).toBeLessThanOrEqual(200);
  }
});

test.each([
  ['nothing', ''],
  ['text', 'locked by Joe'],
  ['JSON of another kind', '[1]'],
  ['another version', '{"version":2,"holder":"x","since":"2026-11-25T04:05:06Z"}'],
  ['no date', '{"version":1,"holder":"x","since":"yesterday"}'],
  ['too long', JSON.stringify({ version: 1, holder: 'x'.repeat(5000), since })],
])('a value that is %s is a stranger, without a date', (_, value) => {
  const told = `a stranger: ${value.length} bytes that etcd-warden did not write`;
  expect(decodeLockValue(bytes(value))).toEqual({ holder: told, since: undefined });
});

test('any bytes are told in one short line', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 5000 }), fc.json().map(bytes)), (value) => {
      expect(decodeLockValue(value).holder).toMatch(/^[^\p{C}]{1,200}$/u);
    }),
  );
});
