import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorTable, exitStatus } from '../../src/errors/table.ts';
import { decodeManifest, encodeManifest, manifestMaxBytes } from '../../src/manifest/manifest.ts';
import type { Manifest } from '../../src/manifest/schema.ts';
import { wardenError } from '../support/errors.ts';
import { placeAt, sampleManifest } from '../support/sample-backup.ts';

const backup = placeAt('2026-11-24T14:00:00Z');
const place = { cluster: backup.cluster, lineage: backup.lineage, id: backup.id.text };
const manifest = sampleManifest(backup);

const decode = (value: unknown): Manifest => decodeManifest(Buffer.from(JSON.stringify(value)), place);
const invalid = (...texts: string[]): unknown => wardenError('manifest-invalid', place.id, ...texts);

describe('a manifest', () => {
  it('is read as it was written', () => {
    expect(decodeManifest(encodeManifest(manifest), place)).toEqual(manifest);
  });

  it('is read as it was written, whatever its tags and 64-bit numbers', () => {
    const tags = fc.dictionary(fc.stringMatching(/^[A-Za-z0-9./-]{1,63}$/), fc.string({ maxLength: 256 }), {
      maxKeys: 10,
    });
    fc.assert(
      fc.property(tags, fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (found, raftIndex) => {
        const member = { ...manifest.member, raftIndex: raftIndex.toString() };
        const written = sampleManifest(backup, { tags: found, member });
        expect(decodeManifest(encodeManifest(written), place)).toEqual(written);
      }),
    );
  });

  it('is JSON that people can read, and ends with a line break', () => {
    expect(Buffer.from(encodeManifest(manifest)).toString()).toMatch(
      /^\{\n {2}"format": "etcd-warden-manifest",\n[^]*\n\}\n$/,
    );
  });

  it.each<[string, (value: Record<string, unknown>) => unknown]>([
    ['an unknown key', (value) => ({ ...value, comment: 'mine' })],
    ['a missing key', (value) => without(value, 'stored')],
    ['a number where a decimal text belongs', (value) => ({ ...value, freshness: { checked: true, readRevision: 7 } })],
    ['a hash beyond 32 bits', (value) => ({ ...value, snapshot: { ...manifest.snapshot, hash: 2 ** 32 } })],
    [
      'an object name with a slash',
      (value) => ({ ...value, stored: { ...manifest.stored, object: '../other/snapshot.db' } }),
    ],
    ['a negative size', (value) => ({ ...value, stored: { ...manifest.stored, sizeBytes: -1 } })],
    ['a time that is none', (value) => ({ ...value, timings: { ...manifest.timings, startedAt: 'yesterday' } })],
    [
      'no recipients of what is encrypted',
      (value) => ({
        ...value,
        encryption: { format: 'aws-encryption-sdk-message-v2', algorithmSuite: 'x', recipients: [], context: {} },
      }),
    ],
    ['another format', (value) => ({ ...value, format: 'velero-backup' })],
    ['version 0', (value) => ({ ...value, version: 0 })],
    ['a version in words', (value) => ({ ...value, version: '2' })],
    ['a list', (value) => [value]],
    ['null', () => null],
  ])('is not accepted with %s', (_, change) => {
    expect(() => decode(change({ ...manifest }))).toThrow(invalid());
  });

  it('names what is wrong with it, and how much more', () => {
    expect(() => decode(without({ ...manifest }, 'stored', 'tags', 'checks', 'restore', 'member'))).toThrow(
      invalid('member', 'and 2 more'),
    );
  });

  it.each([
    ['another cluster', { ...manifest, cluster: { ...manifest.cluster, name: 'staging' } }],
    ['another lineage', { ...manifest, cluster: { ...manifest.cluster, lineage: 'fedcba9876543210' } }],
    ['another backup', { ...manifest, id: placeAt('2026-11-24T15:00:00Z').id.text }],
  ])('that says it belongs to %s is not accepted at this place', (_, moved) => {
    expect(() => decode(moved)).toThrow(
      invalid('belongs to', `${moved.cluster.name}/${moved.cluster.lineage}/${moved.id}`),
    );
  });

  it.each([
    ['text', Buffer.from('<html>')],
    ['nothing', Buffer.alloc(0)],
    ['half of it', encodeManifest(manifest).subarray(0, 500)],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('that is %s is not JSON', (_, bytes) => {
    expect(() => decodeManifest(bytes, place)).toThrow(invalid('not JSON'));
  });

  it('of a newer version is unsupported and no damage', () => {
    const newer = { format: 'etcd-warden-manifest', version: 2, everything: 'is different' };
    expect(() => decode(newer)).toThrow(wardenError('manifest-unsupported', 'version 2', place.id));
    expect(errorTable['manifest-unsupported'].exitStatus).not.toBe(exitStatus.damage);
  });

  it('that grew beyond its limit is never written', () => {
    const tags = Object.fromEntries(Array.from({ length: 1200 }, (_, i) => [`tag-${i}`, 'x'.repeat(256)]));
    expect(() => encodeManifest(sampleManifest(backup, { tags }))).toThrow(
      wardenError('internal', `more than ${manifestMaxBytes}`),
    );
  });

  it('that its own schema would refuse is never written', () => {
    expect(() => encodeManifest({ ...manifest, id: 'x'.repeat(100) })).toThrow(/id/);
  });
});

function without(value: Record<string, unknown>, ...keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}
