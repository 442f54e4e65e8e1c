import { describe, expect, test } from 'vitest';
import { craftSnapshot, pageHeaderBytes, type Entry } from '../support/craft.ts';
import { etcdBuckets, revisionKey, revisionsOf, type Revision } from '../support/mvcc-history.ts';
import { codesOf, inspectBytes } from './inspect-bytes.ts';
import { altered, history } from './specimen.ts';

const newest = history.at(-1)?.main ?? 0;
const someRecord = history[0]?.entry[1] ?? Buffer.alloc(0);

describe('rules of etcd', () => {
  const withEntry = (entry: Entry, before: readonly Revision[] = history): Buffer => {
    const [keys, ...others] = etcdBuckets(before);
    return craftSnapshot([{ name: 'key', entries: [...(keys?.entries ?? []), entry] }, ...others]);
  };

  // field: F022
  test('refuse a key of five bytes in bucket key, and name it', () => {
    const found = inspectBytes(withEntry([Buffer.from('alarm'), Buffer.from('x')]));
    expect(found.damage).toEqual([
      {
        code: 'etcd-layout-invalid',
        where: expect.stringMatching(/^bucket key > page \d+$/) as string,
        message: 'key "alarm" is no revision',
      },
    ]);
  });

  // field: F022
  test('refuse a revision out of order, and name it', () => {
    const found = inspectBytes(withEntry([revisionKey(9, 0, false), someRecord]));
    expect(codesOf(found)).toContain('keys-unsorted');
    expect(found.damage[0]).toMatchObject({
      where: expect.stringContaining('bucket key') as string,
      message: `key 0x${revisionKey(9, 0, false).toString('hex')} is not above the key before it`,
    });
  });

  test('refuse a revision out of order among values over many pages, and name it', () => {
    const big = (main: number): Entry => [revisionKey(main, 0, false), Buffer.alloc(1_500_000)];
    const [, ...others] = etcdBuckets([]);
    const found = inspectBytes(craftSnapshot([{ name: 'key', entries: [big(7), big(9), big(8)] }, ...others]));
    expect(found.damage).toEqual([
      {
        code: 'keys-unsorted',
        where: expect.stringMatching(/^bucket key > page \d+$/) as string,
        message: `key 0x${revisionKey(8, 0, false).toString('hex')} is not above the key before it`,
      },
    ]);
  });

  test('refuse one revision as a value and as a tombstone on two pages', () => {
    const record = Buffer.concat([Buffer.from([0x0a, 1, 97, 0x2a, 0xb8, 0x17]), Buffer.alloc(3000)]);
    const keys = [2, 3].map((main) => revisionKey(main, 0, false));
    const entries = [...keys, revisionKey(3, 0, true), ...[4, 5, 6].map((main) => revisionKey(main, 0, false))].map(
      (key): Entry => [key, record],
    );
    const [, ...others] = etcdBuckets([]);
    const found = inspectBytes(craftSnapshot([{ name: 'key', entries }, ...others]));
    expect(found.damage).toMatchObject([
      { code: 'keys-unsorted', message: expect.stringContaining('last key of page') as string },
    ]);
  });

  test('refuse one revision as a value and as a tombstone, which bbolt sorts well', () => {
    const found = inspectBytes(withEntry([revisionKey(newest, 0, true), someRecord]));
    expect(found.damage[0]).toMatchObject({
      code: 'etcd-layout-invalid',
      message: expect.stringContaining('not above the revision before') as string,
    });
  });

  test('refuse a value that is no key-value record, small or over many pages', () => {
    for (const size of [10, 6000, 1_500_000]) {
      const found = inspectBytes(withEntry([revisionKey(5000, 0, false), Buffer.alloc(size, 0xff)]));
      expect(found.damage[0]).toMatchObject({
        code: 'etcd-layout-invalid',
        message: expect.stringContaining('key-value record') as string,
      });
    }
  });

  test('tell another bolt database from one of etcd', () => {
    const found = inspectBytes(craftSnapshot([{ name: 'widgets', entries: [[Buffer.from('a'), Buffer.from('b')]] }]));
    expect(codesOf(found)).toEqual(['not-etcd']);
  });

  test('refuse an element of the root bucket that is no bucket', () => {
    const found = inspectBytes(
      altered((snapshot) => snapshot.page(Number(snapshot.meta.root)).writeUInt32LE(0, pageHeaderBytes)),
    );
    expect(found.damage[0]).toMatchObject({
      code: 'bucket-invalid',
      where: expect.stringContaining('bucket alarm') as string,
    });
  });

  test('refuse whatever comes behind the value of a record but a lease', () => {
    const record = Buffer.from(
      revisionsOf([{ key: 'big', value: Buffer.alloc(1_500_000), sameTransaction: false }])[0]?.entry[1] ?? '',
    );
    for (const tail of [Buffer.from([0x0f, 1]), Buffer.from([0x30]), Buffer.alloc(40)]) {
      const found = inspectBytes(withEntry([revisionKey(5000, 0, false), Buffer.concat([record, tail])]));
      expect(codesOf(found)).toEqual(['etcd-layout-invalid']);
    }
    const leased = Buffer.concat([record, Buffer.from([0x30, 0x85, 0x80, 0x01])]);
    expect(inspectBytes(withEntry([revisionKey(5000, 0, false), leased])).damage).toEqual([]);
  });
});
