import { describe, expect, test } from 'vitest';
import { childIdAt, type AlteredSnapshot } from '../support/altered-snapshot.ts';
import { elementBytes, pageHeaderBytes } from '../support/craft.ts';
import { codesOf, inspectBytes } from './inspect-bytes.ts';
import { altered, flip } from './specimen.ts';

describe('the tree', () => {
  // field: F017
  test('names both parents of a page that hangs in two places', () => {
    const found = inspectBytes(
      altered((snapshot) => {
        const [branch, other] = twoBranches(snapshot);
        snapshot.page(other).copyWithin(childIdAt(1), childIdAt(0), childIdAt(0) + 8);
        snapshot.page(branch).copy(snapshot.page(other), childIdAt(0), childIdAt(0), childIdAt(0) + 8);
      }),
    );
    const twice = found.damage.find(({ code }) => code === 'page-referenced-twice');
    expect(twice?.message).toMatch(/^page \d+ hangs under page \d+ and under page \d+$/);
    expect(twice?.where).toMatch(/^bucket key > page \d+ > page \d+ > page \d+$/);
  });

  test('ends where a page is its own child', () => {
    const found = inspectBytes(
      altered((snapshot) => {
        const root = snapshot.bucketRoot('key');
        snapshot.page(root).writeBigUInt64LE(BigInt(root), childIdAt(0));
      }),
    );
    expect(codesOf(found)).toContain('page-referenced-twice');
  });

  test.each([0n, 1n, 1n << 40n, 0xffff_ffff_ffff_ffffn])('refuses %i as the id of a child', (id) => {
    const found = inspectBytes(
      altered((snapshot) => snapshot.page(snapshot.bucketRoot('key')).writeBigUInt64LE(id, childIdAt(0))),
    );
    expect(codesOf(found)).toContain('page-out-of-range');
  });

  test('refuses a page that says it is another one, or of another type', () => {
    const other = altered((snapshot) => snapshot.page(snapshot.bucketRoot('key')).writeBigUInt64LE(3n));
    const type = altered((snapshot) => snapshot.page(snapshot.bucketRoot('key')).writeUInt16LE(0, 8));
    for (const snapshot of [other, type]) expect(codesOf(inspectBytes(snapshot))).toContain('page-wrong-type');
  });

  test('sees one changed bit in any separator', () => {
    const found = inspectBytes(
      altered((snapshot) => {
        const [branch] = twoBranches(snapshot);
        const page = snapshot.page(branch);
        flip(page, pageHeaderBytes + page.readUInt16LE(10) * elementBytes + 17 * 3 - 1);
      }),
    );
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
    const found = inspectBytes(
      altered((snapshot) => firstKeyLeaf(snapshot).writeUInt32LE(value, pageHeaderBytes + offset)),
    );
    expect(codesOf(found)).toContain('element-out-of-bounds');
  });

  test('refuses a leaf page without a key, unless it is all of a bucket', () => {
    const found = inspectBytes(altered((snapshot) => firstKeyLeaf(snapshot).writeUInt16LE(0, 10)));
    expect(codesOf(found)).toContain('page-empty');
  });

  test('refuses overflow beyond the high-water mark, and into the pages of others', () => {
    const beyond = altered((snapshot) => firstKeyLeaf(snapshot).writeUInt32LE(0xffff_fff0, 12));
    expect(codesOf(inspectBytes(beyond))).toContain('page-out-of-range');
    const others = altered((snapshot) => firstKeyLeaf(snapshot).writeUInt32LE(12, 12));
    expect(codesOf(inspectBytes(others))).toContain('page-referenced-twice');
  });

  test('lists twenty damages and counts all', () => {
    const found = inspectBytes(
      altered((snapshot) => {
        const root = Number(snapshot.meta.root);
        for (const leaf of snapshot.pagesOfType(2))
          if (leaf !== root) snapshot.page(leaf).writeUInt32LE(0xffff_ffff, pageHeaderBytes + 8);
      }),
    );
    expect(found.damage).toHaveLength(20);
    expect(found.damageCount).toBeGreaterThan(20);
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
