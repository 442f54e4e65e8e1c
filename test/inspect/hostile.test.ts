import { randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { AlteredSnapshot } from '../support/altered-snapshot.ts';
import { craftSnapshot, elementBytes, pageHeaderBytes, withTrailer } from '../support/craft.ts';
import { etcdBuckets, revisionKey, revisionsOf, type Write } from '../support/mvcc-history.ts';
import { inspectBytes } from './inspect-bytes.ts';

const mebibyte = 1 << 20;
const put = (key: string, value: Buffer): Write => ({ key, value, sameTransaction: false });

/** Numbers that come again for the same seed. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

// field: F019
test(
  '500 copies of a 2 MiB database, each with a changed byte in a header or element table, all get a verdict',
  { timeout: 60_000 },
  () => {
    const history = revisionsOf(
      Array.from({ length: 400 }, (_, i) =>
        put(`/registry/pods/p${i % 250}`, Buffer.alloc(i % 50 === 0 ? 20_000 : 1200, i)),
      ),
    );
    const sound = craftSnapshot(etcdBuckets(history), { freelist: true, stalePages: true });
    expect(inspectBytes(sound).verdict).toBe('sound');
    const seed = randomInt(2 ** 31);
    const random = randomNumbers(seed);
    const verdicts = { sound: 0, damaged: 0 };
    for (let copy = 0; copy < 500; copy++) {
      const snapshot = new AlteredSnapshot(sound);
      const type = copy % 3 === 0 ? 1 : 2;
      const pages = snapshot.pagesOfType(type);
      const page =
        copy % 50 === 0 ? snapshot.page(copy % 100 === 0 ? 0 : 1) : snapshot.page(pages[random(pages.length)] ?? 0);
      const tableBytes = pageHeaderBytes + Math.min(page.readUInt16LE(10), 200) * elementBytes;
      const at = random(tableBytes);
      page.writeUInt8(page.readUInt8(at) ^ (1 + random(255)), at);
      const started = performance.now();
      const { verdict, damage } = inspectBytes(snapshot.snapshot());
      verdicts[verdict]++;
      expect(performance.now() - started, `seed ${seed}, copy ${copy}`).toBeLessThan(2000);
      for (const { where, message } of damage)
        expect(`${where}: ${message}`, `seed ${seed}`).not.toMatch(/undefined|NaN/);
    }
    // Half of the pages are stale, and a change to those harms nothing.
    expect(verdicts.damaged, `seed ${seed}`).toBeGreaterThan(100);
    expect(verdicts.sound, `seed ${seed}`).toBeGreaterThan(100);
    expect(process.memoryUsage.rss()).toBeLessThan(400 * mebibyte);
  },
);

describe('values that look like pages', () => {
  /** A snapshot whose big values are full of page headers at their right positions, each claiming what `header` writes. */
  function forged(header: (page: Buffer, id: number) => void): { snapshot: Buffer; original: Buffer } {
    const values = Array.from({ length: 6 }, (_, i) => put(`/forged/${i}`, Buffer.alloc(4 * mebibyte, i + 1)));
    const small = Array.from({ length: 200 }, (_, i) => put(`/registry/pods/p${i}`, Buffer.alloc(700, i)));
    const original = craftSnapshot(etcdBuckets(revisionsOf([...values, ...small, ...values.slice(0, 2)])));
    const altered = new AlteredSnapshot(original);
    for (let id = 2; id < altered.db.length / 4096; id++) {
      const page = altered.page(id);
      // Only pages all of one byte are the inside of a value.
      if (page.every((byte) => byte === page[0] && byte > 0)) header(page, id);
    }
    return { snapshot: altered.snapshot(), original };
  }

  const leaf = (page: Buffer, id: number, count: number, overflow: number): void => {
    page.writeBigUInt64LE(BigInt(id));
    page.writeUInt16LE(2, 8);
    page.writeUInt16LE(count, 10);
    page.writeUInt32LE(overflow, 12);
  };

  test.each([
    [
      'of mebibytes of overflow, one in another',
      (page: Buffer, id: number) => {
        leaf(page, id, 4, 2000);
        let data = pageHeaderBytes + 4 * elementBytes;
        for (let i = 0; i < 4; i++) {
          const at = pageHeaderBytes + i * elementBytes;
          const valueBytes = 1_500_000 + id;
          [0, data - at, 17, valueBytes].forEach((number, field) => page.writeUInt32LE(number, at + 4 * field));
          if (data < 4000) revisionKey(5 + i, id, false).copy(page, data);
          data += 17 + valueBytes;
        }
      },
    ],
    [
      'of many elements',
      (page: Buffer, id: number) => {
        const count = 120;
        leaf(page, id, count, 0);
        for (let i = 0; i < count; i++) {
          const at = pageHeaderBytes + i * elementBytes;
          const data = pageHeaderBytes + count * elementBytes + 17 * i;
          [0, data - at, 17, 0].forEach((number, field) => page.writeUInt32LE(number, at + 4 * field));
          revisionKey(id, i, false).copy(page, data);
        }
      },
    ],
    ['of nothing but headers', (page: Buffer, id: number) => leaf(page, id, 0xffff, 0xffff_ffff)],
  ])('cost little time and mislead nobody: pages %s', (_, header) => {
    const { snapshot, original } = forged(header);
    const plainMs = timeOf(() => inspectBytes(original));
    let found = inspectBytes(snapshot);
    const forgedMs = timeOf(() => (found = inspectBytes(snapshot)));
    expect(found).toMatchObject({ damage: [], liveKeys: 206 });
    expect(found.hash).not.toBe(inspectBytes(original).hash);
    // Two and a half times is what the worst of them costs on a quiet machine.
    expect(forgedMs).toBeLessThan(8 * plainMs + 500);
  });

  test('a page that a budget left out is too complex, if it is reached', () => {
    const history = revisionsOf([put('/big', Buffer.alloc(70 * mebibyte, 1)), put('/small', Buffer.alloc(9))]);
    const found = inspectBytes(craftSnapshot(etcdBuckets(history)));
    expect(found.damage.map(({ code, where }) => [code, where])).toEqual([
      ['too-complex', expect.stringContaining('bucket key') as string],
    ]);
  });
});

test('a database of nothing but noise behind sound meta pages gets a verdict', () => {
  const seed = randomInt(2 ** 31);
  const random = randomNumbers(seed);
  const start = craftSnapshot(etcdBuckets(revisionsOf([put('a', Buffer.alloc(50_000))]))).subarray(0, 8192);
  const noise = Buffer.alloc(3 * mebibyte);
  for (let at = 0; at < noise.length; at += 4) noise.writeUInt32LE(random(2 ** 32), at);
  expect(inspectBytes(withTrailer(Buffer.concat([start, noise]))).verdict, `seed ${seed}`).toBe('damaged');
});

function timeOf(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}
