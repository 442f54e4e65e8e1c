import { randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { AlteredSnapshot, childIdAt, craftSnapshot, elementBytes, pageHeaderBytes, withTrailer, type Entry } from '../support/craft.ts';
import { etcdBuckets, revisionKey, revisionsOf, type Revision } from '../support/mvcc-history.ts';
import { codesOf, inspectBytes } from './inspect-bytes.ts';

const history = revisionsOf(
  Array.from({ length: 1500 }, (_, i) => ({ key: `/registry/pods/default/p${i % 900}`, value: Buffer.alloc(i % 7 === 0 ? 9000 : 300, i), sameTransaction: false })),
);
const sound = craftSnapshot(etcdBuckets(history), { freelist: true, stalePages: true });

/** The sound snapshot after a change to its pages, with a right trailer. */
function altered(change: (snapshot: AlteredSnapshot) => void): Buffer {
  const snapshot = new AlteredSnapshot(sound);
  change(snapshot);
  return snapshot.snapshot();
}

test('the snapshot that all this is done to is sound', () => {
  expect(inspectBytes(sound).damage).toEqual([]);
});

describe('the trailer', () => {
  // field: F012
  test('shows one flipped bit, wherever it is', () => {
    for (const at of [100, 5000, sound.length >> 1, sound.length - 33, sound.length - 1]) {
      const flipped = Buffer.from(sound);
      flipped[at]! ^= 4;
      expect(inspectBytes(flipped)).toMatchObject({ verdict: 'damaged', trailer: 'differs' });
      expect(codesOf(inspectBytes(flipped))[0]).toBe('trailer-mismatch');
    }
  });

  test('is missed where it was cut off, and the database is inspected all the same', () => {
    const found = inspectBytes(sound.subarray(0, -32));
    expect(found).toMatchObject({ verdict: 'damaged', trailer: 'missing', hash: inspectBytes(sound).hash });
    expect(codesOf(found)).toEqual(['trailer-missing']);
  });

  // field: F013
  test('does not make a file whole that was cut at 4096 k + 32', () => {
    const found = inspectBytes(sound.subarray(0, 4096 * 100 + 32));
    expect(found).toMatchObject({ verdict: 'damaged', hash: undefined, kvHash: undefined });
    expect(codesOf(found)).toEqual(expect.arrayContaining(['trailer-mismatch', 'file-shorter-than-high-water-mark']));
  });

  test('is right and the file too short: the page count tells', () => {
    expect(codesOf(inspectBytes(withTrailer(sound.subarray(0, 4096 * 100))))).toContain('file-shorter-than-high-water-mark');
  });
});

describe('meta pages', () => {
  // field: F014
  test.each([4096, 16384, 32768, 65536])('the first one gone: pages of %i bytes are found by the second, and it is damage', (pageSizeBytes) => {
    const snapshot = new AlteredSnapshot(craftSnapshot(etcdBuckets(history.slice(0, 50)), { pageSizeBytes }));
    snapshot.page(0).fill(0);
    const found = inspectBytes(snapshot.snapshot());
    expect(codesOf(found)).toEqual(['meta-damaged']);
    expect(found.pageSizeBytes).toBe(pageSizeBytes);
    expect(found.damage[0]!.message).toContain(`page size ${pageSizeBytes}, meta page 1 is valid with txid 7`);
  });

  test('the second one gone is damage too', () => {
    const found = inspectBytes(altered((snapshot) => (snapshot.page(1)[40]! ^= 1)));
    expect(codesOf(found)).toEqual(['meta-damaged']);
    expect(found.damage[0]!.message).toContain('checksum');
  });

  test('both gone leave nothing to read', () => {
    const found = inspectBytes(altered((snapshot) => [0, 1].forEach((id) => (snapshot.page(id)[40]! ^= 1))));
    expect(found).toMatchObject({ verdict: 'damaged', pageSizeBytes: undefined, hash: undefined, trailer: 'matches' });
    expect(codesOf(found)).toEqual(['meta-damaged']);
  });

  test('the one with the higher transaction id is gone by', () => {
    const found = inspectBytes(altered((snapshot) => {
      const before = snapshot.meta;
      snapshot.changeMeta({ root: before.root });
      // A newer second meta page that names another root.
      const second = snapshot.page(1);
      snapshot.page(0).copy(second);
      second.writeBigUInt64LE(1n);
      second.writeBigUInt64LE(99n, 64);
    }));
    expect(codesOf(found)).toEqual(['meta-damaged']);
  });
});

describe('the tree', () => {
  // field: F017
  test('names both parents of a page that hangs in two places', () => {
    const found = inspectBytes(altered((snapshot) => {
      const [branch, other] = twoBranches(snapshot);
      snapshot.page(other).copyWithin(childIdAt(1), childIdAt(0), childIdAt(0) + 8);
      snapshot.page(branch).copy(snapshot.page(other), childIdAt(0), childIdAt(0), childIdAt(0) + 8);
    }));
    const twice = found.damage.find(({ code }) => code === 'page-referenced-twice');
    expect(twice?.message).toMatch(/^page \d+ hangs under page \d+ and under page \d+$/);
    expect(twice?.where).toMatch(/^bucket key > page \d+ > page \d+ > page \d+$/);
  });

  test('ends where a page is its own child', () => {
    const found = inspectBytes(altered((snapshot) => {
      const root = snapshot.bucketRoot('key');
      snapshot.page(root).writeBigUInt64LE(BigInt(root), childIdAt(0));
    }));
    expect(codesOf(found)).toContain('page-referenced-twice');
  });

  test.each([0n, 1n, 1n << 40n, 0xffff_ffff_ffff_ffffn])('refuses %i as the id of a child', (id) => {
    const found = inspectBytes(altered((snapshot) => snapshot.page(snapshot.bucketRoot('key')).writeBigUInt64LE(id, childIdAt(0))));
    expect(codesOf(found)).toContain('page-out-of-range');
  });

  test('refuses a page that says it is another one, or of another type', () => {
    const other = altered((snapshot) => snapshot.page(snapshot.bucketRoot('key')).writeBigUInt64LE(3n));
    const type = altered((snapshot) => snapshot.page(snapshot.bucketRoot('key')).writeUInt16LE(0, 8));
    for (const snapshot of [other, type]) expect(codesOf(inspectBytes(snapshot))).toContain('page-wrong-type');
  });

  test('sees one changed bit in any separator', () => {
    const found = inspectBytes(altered((snapshot) => {
      const [branch] = twoBranches(snapshot);
      const page = snapshot.page(branch);
      page[pageHeaderBytes + page.readUInt16LE(10) * elementBytes + 17 * 3 - 1]! ^= 1;
    }));
    expect(codesOf(found)).toContain('separator-differs');
  });

  test('sees keys that are not sorted within a page and across pages', () => {
    const within = altered((snapshot) => {
      const leaf = firstKeyLeaf(snapshot);
      const data = pageHeaderBytes + leaf.readUInt16LE(10) * elementBytes;
      leaf.writeBigUInt64BE(400n, data);
    });
    expect(codesOf(inspectBytes(within))).toContain('keys-unsorted');
    const across = altered((snapshot) => {
      const root = snapshot.page(twoBranches(snapshot)[0]);
      const first = root.readBigUInt64LE(childIdAt(0));
      root.copyWithin(childIdAt(0), childIdAt(1), childIdAt(1) + 8);
      root.writeBigUInt64LE(first, childIdAt(1));
    });
    expect(codesOf(inspectBytes(across))).toEqual(expect.arrayContaining(['keys-unsorted', 'separator-differs']));
  });

  test.each([
    ['a position', 4, 0xffff_fff0],
    ['a key length', 8, 0xffff_ffff],
    ['a value length', 12, 0xffff_ffff],
    ['a value length by one', 12, 1],
  ])('refuses an element with %s that leaves its page or its place', (_, offset, value) => {
    const found = inspectBytes(altered((snapshot) => firstKeyLeaf(snapshot).writeUInt32LE(value, pageHeaderBytes + offset)));
    expect(codesOf(found)).toContain('element-out-of-bounds');
  });

  test('lists twenty damages and counts all', () => {
    const found = inspectBytes(altered((snapshot) => {
      const root = Number(snapshot.meta.root);
      for (const leaf of snapshot.pagesOfType(2)) if (leaf !== root) snapshot.page(leaf).writeUInt32LE(0xffff_ffff, pageHeaderBytes + 8);
    }));
    expect(found.damage).toHaveLength(20);
    expect(found.damageCount).toBeGreaterThan(20);
  });
});

describe('the freelist', () => {
  // field: F020
  test('need not be stored', () => {
    expect(inspectBytes(craftSnapshot(etcdBuckets(history), { stalePages: true })).damage).toEqual([]);
  });

  // field: F020
  test('is refused where its page is of another type', () => {
    expect(codesOf(inspectBytes(altered((snapshot) => snapshot.changeMeta({ freelist: 0n }))))).toEqual(['freelist-bad-type']);
    const used = altered((snapshot) => snapshot.changeMeta({ freelist: BigInt(snapshot.bucketRoot('key')) }));
    expect(codesOf(inspectBytes(used))).toEqual(['freelist-bad-type']);
  });

  // field: F020
  test('may not name a page in use', () => {
    const found = inspectBytes(altered((snapshot) => replaceFreePage(snapshot, 0, snapshot.bucketRoot('key'))));
    expect(codesOf(found)).toContain('page-free-and-used');
  });

  test('is sorted and names each page once', () => {
    const twice = altered((snapshot) => freelistOf(snapshot).copyWithin(24, 16, 24));
    const beyond = altered((snapshot) => freelistOf(snapshot).writeBigUInt64LE(1n << 50n, 16));
    const long = altered((snapshot) => freelistOf(snapshot).writeUInt16LE(0xfffe, 10));
    for (const snapshot of [twice, beyond, long]) expect(codesOf(inspectBytes(snapshot))).toEqual(['freelist-invalid']);
  });

  test('together with the trees names every page', () => {
    const found = inspectBytes(altered((snapshot) => {
      const freelist = freelistOf(snapshot);
      freelist.writeUInt16LE(freelist.readUInt16LE(10) - 1, 10);
    }));
    expect(codesOf(found)).toEqual(['page-lost']);
  });
});

describe('rules of etcd', () => {
  const withEntry = (entry: Entry, before: readonly Revision[] = history): Buffer => {
    const [keys, ...others] = etcdBuckets(before);
    return craftSnapshot([{ name: 'key', entries: [...keys!.entries, entry] }, ...others]);
  };

  // field: F022
  test('refuse a key of five bytes in bucket key, and name it', () => {
    const found = inspectBytes(withEntry([Buffer.from('alarm'), Buffer.from('x')]));
    expect(found.damage).toEqual([
      { code: 'etcd-layout-invalid', where: expect.stringMatching(/^bucket key > page \d+$/), message: 'key "alarm" is no revision' },
    ]);
  });

  // field: F022
  test('refuse a revision out of order, and name it', () => {
    const found = inspectBytes(withEntry([revisionKey(9, 0, false), history[0]!.entry[1]]));
    expect(codesOf(found)).toContain('keys-unsorted');
    expect(found.damage[0]).toMatchObject({
      where: expect.stringContaining('bucket key'),
      message: `key 0x${revisionKey(9, 0, false).toString('hex')} is not above the key before it`,
    });
  });

  test('refuse one revision as a value and as a tombstone, which bbolt sorts well', () => {
    const last = history.at(-1)!;
    const found = inspectBytes(withEntry([revisionKey(last.main, last.sub, true), last.entry[1]]));
    expect(found.damage[0]).toMatchObject({ code: 'etcd-layout-invalid', message: expect.stringContaining('not above the revision before') });
  });

  test('refuse a value that is no key-value record, small or over many pages', () => {
    for (const size of [10, 6000, 1_500_000]) {
      const found = inspectBytes(withEntry([revisionKey(5000, 0, false), Buffer.alloc(size, 0xff)]));
      expect(found.damage[0]).toMatchObject({ code: 'etcd-layout-invalid', message: expect.stringContaining('key-value record') });
    }
  });

  test('tell another bolt database from one of etcd', () => {
    const found = inspectBytes(craftSnapshot([{ name: 'widgets', entries: [[Buffer.from('a'), Buffer.from('b')]] }]));
    expect(codesOf(found)).toEqual(['not-etcd']);
  });

  test('refuse an element of the root bucket that is no bucket', () => {
    const found = inspectBytes(altered((snapshot) => snapshot.page(Number(snapshot.meta.root)).writeUInt32LE(0, pageHeaderBytes)));
    expect(found.damage[0]).toMatchObject({ code: 'bucket-invalid', where: expect.stringContaining('bucket alarm') });
  });
});

describe('files of any length and content', () => {
  // field: F023
  test.each([0, 1, 31, 32, 511, 512, 4096, 8191, 8192])('of %i bytes, zeros or noise, get a verdict', (size) => {
    const noise = Buffer.from(Array.from({ length: size }, () => randomInt(256)));
    for (const bytes of [Buffer.alloc(size), noise]) {
      const found = inspectBytes(bytes);
      expect(found).toMatchObject({ verdict: 'damaged', sizeBytes: size, hash: undefined });
      expect(codesOf(found)).toContain('not-bolt');
    }
  });

  test('a sound snapshot cut anywhere is damaged, and inspected without an error', () => {
    for (const size of [16, 80, 4095, 4096, 4100, 4176, 8192, 20_000, sound.length - 1, sound.length - 512]) {
      expect(inspectBytes(sound.subarray(0, size)).verdict).toBe('damaged');
    }
  });
});

function twoBranches(snapshot: AlteredSnapshot): [number, number] {
  const root = snapshot.page(snapshot.bucketRoot('key'));
  return [Number(root.readBigUInt64LE(childIdAt(0))), Number(root.readBigUInt64LE(childIdAt(1)))];
}

function firstKeyLeaf(snapshot: AlteredSnapshot): Buffer {
  let page = snapshot.page(snapshot.bucketRoot('key'));
  while (page.readUInt16LE(8) === 1) page = snapshot.page(Number(page.readBigUInt64LE(childIdAt(0))));
  return page;
}

const freelistOf = (snapshot: AlteredSnapshot): Buffer => snapshot.page(Number(snapshot.meta.freelist));

/** Puts another id into the sorted list of free pages. */
function replaceFreePage(snapshot: AlteredSnapshot, index: number, id: number): void {
  const freelist = snapshot.db.subarray(Number(snapshot.meta.freelist) * snapshot.pageSize);
  const ids = Array.from({ length: freelist.readUInt16LE(10) }, (_, i) => Number(freelist.readBigUInt64LE(pageHeaderBytes + 8 * i)));
  ids[index] = id;
  ids.sort((a, b) => a - b).forEach((each, i) => freelist.writeBigUInt64LE(BigInt(each), pageHeaderBytes + 8 * i));
}
