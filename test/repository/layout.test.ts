import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  backupPrefix,
  clusterPrefix,
  evidenceName,
  formatLineage,
  lineagePrefix,
  manifestName,
  objectKey,
  parseKey,
  snapshotName,
} from '../../src/repository/layout.ts';
import { placeAt } from '../support/sample-backup.ts';

const place = placeAt('2026-11-24T14:00:00Z', 228678n);

describe('an object key', () => {
  it('holds cluster, lineage, backup id and the name of the object', () => {
    expect(objectKey(place, manifestName)).toBe(`prod/0123456789abcdef/${place.id.text}/manifest.json`);
  });

  it.each(['', '.zst', '.enc', '.zst.enc'])('of a snapshot with the suffix "%s" is read back', (suffix) => {
    expect(parseKey(objectKey(place, snapshotName(suffix)))).toEqual({ place, role: { kind: 'snapshot', suffix } });
  });

  it('of a manifest is read back', () => {
    expect(parseKey(objectKey(place, manifestName))).toEqual({ place, role: { kind: 'manifest' } });
  });

  it.each(['verified', 'drilled', 'damaged'] as const)('of the evidence %s is read back with its time', (kind) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
        const time = new Date(seconds * 1000);
        expect(parseKey(objectKey(place, evidenceName(kind, time)))).toEqual({ place, role: { kind, time } });
      }),
    );
  });

  it('of a hold is read back with its name', () => {
    expect(parseKey(objectKey(place, 'hold-audit-2026.json'))?.role).toEqual({ kind: 'hold', name: 'audit-2026' });
  });

  it.each(['hold-JIRA_123.json', 'hold-me', 'hold-.json'])(
    'of a hold that somebody put there by hand counts: %s',
    (name) => {
      expect(parseKey(objectKey(place, name))?.role.kind).toBe('hold');
    },
  );

  it.each([
    'notes.txt',
    'snapshot.db.gz',
    'snapshot.db.zst.part-0a1b',
    'snapshot.db.enc.zst',
    'manifest.json.bak',
    'verified-20260230T000000Z.json',
    'verified-yesterday.json',
  ])('beside a backup with the name %s is of no known use', (name) => {
    expect(parseKey(objectKey(place, name))?.role).toEqual({ kind: 'unknown', name });
  });

  it.each([
    '',
    'manifest.json',
    `prod/0123456789abcdef/${place.id.text}`,
    `prod/0123456789abcdef/${place.id.text}/`,
    `prod/0123456789abcdef/${place.id.text}/deeper/manifest.json`,
    `/0123456789abcdef/${place.id.text}/manifest.json`,
    `prod/0123456789ABCDEF/${place.id.text}/manifest.json`,
    `prod/123/${place.id.text}/manifest.json`,
    'prod/0123456789abcdef/20260230T000000Z-r1-00000000/manifest.json',
    'prod/0123456789abcdef/etcd-snapshot-2026/manifest.json',
  ])('%j is foreign', (key) => {
    expect(parseKey(key)).toBeUndefined();
  });
});

describe('a prefix', () => {
  it('leads to its own objects and not to those of a neighbour whose name begins alike', () => {
    const neighbour = objectKey({ ...place, cluster: 'prod-2' }, manifestName);
    const ours = objectKey(place, manifestName);
    for (const prefix of [clusterPrefix('prod'), lineagePrefix('prod', place.lineage), backupPrefix(place)]) {
      expect(ours.startsWith(prefix)).toBe(true);
      expect(neighbour.startsWith(prefix)).toBe(false);
    }
  });
});

describe('a lineage', () => {
  it('is the cluster id in 16 hexadecimal digits', () => {
    expect([formatLineage(0xabcn), formatLineage(2n ** 64n - 1n)]).toEqual(['0000000000000abc', 'ffffffffffffffff']);
  });
});
