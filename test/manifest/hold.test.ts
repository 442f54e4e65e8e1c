import { describe, expect, it } from 'vitest';
import { decodeHold, encodeHold, isHoldName, isHoldReason } from '../../src/manifest/hold.ts';

const hold = {
  backup: '20261124T140000Z-r7-04106105',
  name: 'upgrade',
  reason: 'before 3.7: "just in case" – ü',
  at: new Date('2026-11-25T03:15:00.250Z'),
};
const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

describe('a written hold', () => {
  it('says of which backup, under what name, why and since when', () => {
    expect(JSON.parse(Buffer.from(encodeHold(hold)).toString())).toEqual({
      format: 'etcd-warden-hold',
      version: 1,
      backup: hold.backup,
      name: 'upgrade',
      reason: hold.reason,
      at: '2026-11-25T03:15:00.250Z',
    });
  });

  it('is read back as it was', () => {
    expect(decodeHold(encodeHold(hold))).toEqual(hold);
  });

  it('may have keys of a later version', () => {
    expect(decodeHold(bytesOf({ ...hold, version: 2, by: 'somebody' }))).toEqual(hold);
  });

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['no JSON', Buffer.from('held!')],
    ['no object', bytesOf('held')],
    ['no reason', bytesOf({ ...hold, reason: undefined })],
    ['a reason that is no text', bytesOf({ ...hold, reason: 7 })],
    ['a reason without end', bytesOf({ ...hold, reason: 'x'.repeat(8193) })],
    ['a date that is none', bytesOf({ ...hold, at: '2026-02-30T00:00:00Z' })],
  ])('that holds %s tells of none', (_, bytes) => {
    expect(decodeHold(bytes)).toBeUndefined();
  });
});

describe('the name of a hold', () => {
  it.each(['manual', 'a', '-', 'ticket-4711', 'x'.repeat(40)])('can be %s', (name) => {
    expect(isHoldName(name)).toBe(true);
  });

  it.each(['', 'x'.repeat(41), 'Manual', 'a b', 'a/b', '..', 'a.json', 'a\n', 'ä'])('cannot be %j', (name) => {
    expect(isHoldName(name)).toBe(false);
  });
});

describe('the reason of a hold', () => {
  it.each(['x', 'before the upgrade to 3.7', 'Überprüfung läuft', '🔒'.repeat(500)])('can be %.30s', (reason) => {
    expect(isHoldReason(reason)).toBe(true);
  });

  it.each([
    '',
    ' \u3000',
    'x'.repeat(501),
    'two\nlines',
    'a\ttab',
    'a\u001B[2Jscreen',
    'a\u0000byte',
    'a\u2028line',
    'a\u2029paragraph',
    'half \uD800 of a character',
  ])('cannot be %j', (reason) => {
    expect(isHoldReason(reason)).toBe(false);
  });
});
