import { describe, expect, it } from 'vitest';
import { encryptionContext } from '../../src/manifest/build-manifest.ts';
import { encodeManifest } from '../../src/manifest/manifest.ts';
import type { LiveMemberResult, ManifestCheck } from '../../src/manifest/schema.ts';
import { placeAt, sampleInspection, sampleManifest } from '../support/sample-backup.ts';

const place = placeAt('2026-11-24T14:00:00Z', 7n);
const live = (member: string, result: LiveMemberResult['result']): LiveMemberResult => ({
  member,
  version: '3.6.16',
  result,
  hash: null,
  compactRevision: null,
  reason: null,
});

describe('the checks of a manifest', () => {
  const check = (
    name: ManifestCheck['name'],
    changes: Parameters<typeof sampleManifest>[1],
  ): ManifestCheck | undefined => sampleManifest(place, changes).checks.find((found) => found.name === name);

  it('list everything that was proved, in the order of the stages', () => {
    const { checks } = sampleManifest(place, { liveMembers: [live('m1', 'equal')] });
    expect(checks.map(({ name, result }) => `${name} ${result}`)).toEqual([
      'length passed',
      'trailer passed',
      'structure passed',
      'etcd-layout passed',
      'freshness passed',
      'live-hash passed',
    ]);
  });

  it('say that freshness was not checked without quorum, and why', () => {
    const changes = { readRevision: undefined, noReadBecause: 'no quorum: m1 did not answer' };
    expect(check('freshness', changes)).toEqual({
      name: 'freshness',
      result: 'not-checked',
      detail: 'freshness not checked: no quorum: m1 did not answer',
    });
    expect(sampleManifest(place, changes).freshness).toEqual({
      checked: false,
      reason: 'no quorum: m1 did not answer',
    });
  });

  it('name the revision that the snapshot is at least at', () => {
    expect(check('freshness', {})?.detail).toBe('revision 8 is at least 7, read before the stream began');
  });

  it.each<[LiveMemberResult['result'][], string, string]>([
    [[], 'not-checked', 'no member was comparable'],
    [['unreachable', 'not-comparable'], 'not-checked', 'no member was comparable'],
    [['equal', 'unreachable'], 'passed', 'the same HashKV on m0'],
    [['equal', 'equal', 'not-comparable'], 'passed', 'the same HashKV on m0, m1'],
    [['equal', 'differs'], 'differs', 'another HashKV on m1'],
  ])('judge the live members %j: %s', (results, result, detail) => {
    const liveMembers = results.map((each, index) => live(`m${index}`, each));
    expect(check('live-hash', { liveMembers })).toEqual({ name: 'live-hash', result, detail });
  });

  it('say why the snapshot has no HashKV of its own', () => {
    const inspection = sampleInspection({ kvHash: undefined, kvHashSkipped: 'too many entries' });
    expect(check('live-hash', { inspection })?.detail).toBe('too many entries');
  });
});

describe('a manifest', () => {
  it('keeps texts of members within the limits of its schema, however long they are', () => {
    const long = 'x'.repeat(5000);
    const liveMembers = Array.from({ length: 64 }, () => live('m'.repeat(1000), 'equal'));
    const manifest = sampleManifest(place, { readRevision: undefined, noReadBecause: long, liveMembers });
    expect(() => encodeManifest(manifest)).not.toThrow();
  });

  it('tells how to restore it with etcd-warden and without', () => {
    const { restore } = sampleManifest(place, {
      stored: { object: 'snapshot.db.zst.enc', sizeBytes: 5, sha256: 'ab'.repeat(32) },
    });
    expect(restore[0]).toBe(`etcd-warden restore ${place.id.text} --to snapshot.db`);
    expect(restore.join('\n')).toMatch(/etcdutl snapshot restore snapshot\.db/);
    expect(restore.join('\n')).toMatch(/AWS Encryption SDK .* snapshot\.db\.zst\.enc into snapshot\.db\.zst/);
    expect(restore.join('\n')).toContain('zstd -d snapshot.db.zst -o snapshot.db');
  });

  it('tells no step that a plain snapshot does not need', () => {
    expect(sampleManifest(place).restore.join('\n')).not.toMatch(/zstd|Encryption/);
  });

  it('carries 64-bit numbers as decimal text', () => {
    const inspection = sampleInspection({ revision: 2n ** 62n, compactRevision: -1n });
    expect(sampleManifest(place, { inspection }).snapshot).toMatchObject({
      revision: '4611686018427387904',
      compactRevision: '-1',
    });
  });
});

it('the encryption context binds cluster, lineage and backup', () => {
  expect(encryptionContext('prod', '0123456789abcdef', place.id.text)).toEqual({
    'etcd-warden:cluster': 'prod',
    'etcd-warden:lineage': '0123456789abcdef',
    'etcd-warden:backup': place.id.text,
  });
});
