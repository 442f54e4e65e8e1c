import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/manifest/schema.ts';
import { encryptionContext } from '../../src/manifest/build-manifest.ts';
import { proveManifest } from '../../src/snapshot/prove-manifest.ts';
import { wardenError } from '../support/errors.ts';
import { placeAt, sampleInspection, sampleManifest } from '../support/sample-backup.ts';

const place = placeAt('2026-11-24T14:00:00Z');
const context = encryptionContext(place.cluster, place.lineage, place.id.text);
const encryption = {
  format: 'aws-encryption-sdk-message-v2',
  algorithmSuite: 'AES-256-GCM-HKDF-SHA512-COMMIT-KEY',
  recipients: [{ kind: 'aes-key-file', name: 'site' }],
  context,
} as const;
const manifest = sampleManifest(place, { encryption: { ...encryption, recipients: [...encryption.recipients] } });
const found = sampleInspection();

const stating = (facts: Partial<Manifest['snapshot']>): Manifest => ({
  ...manifest,
  snapshot: { ...manifest.snapshot, ...facts },
});

describe('a manifest', () => {
  it('is proved by the snapshot that it was made of', () => {
    expect(() => proveManifest(found, manifest)).not.toThrow();
  });

  it.each<[string, Partial<Manifest['snapshot']>]>([
    ['bytes', { sizeBytes: 1 }],
    ['SHA-256', { sha256: 'cd'.repeat(32) }],
    ['HASH', { hash: 1 }],
    ['revision', { revision: '9' }],
    ['compact revision', { compactRevision: '2' }],
    ['page size', { pageSizeBytes: 16384 }],
    ['entries', { totalEntries: 13 }],
    ['live keys', { liveKeys: 5 }],
    ['storage version', { storageVersion: '3.7.0' }],
    ['cluster version', { clusterVersion: null }],
    ['HashKV', { kvHash: { hash: 1, revision: '8', compactRevision: '3' } }],
    ['revision of HashKV', { kvHash: { hash: 0x1234, revision: '7', compactRevision: '3' } }],
    ['compact revision of HashKV', { kvHash: { hash: 0x1234, revision: '8', compactRevision: '4' } }],
  ])('with other %s than the snapshot is not', (what, facts) => {
    expect(() => proveManifest(found, stating(facts))).toThrow(
      wardenError(
        what === 'bytes' || what === 'SHA-256' ? 'object-damaged' : 'manifest-differs',
        what,
        'manifest says',
      ),
    );
  });

  it('is proved where either side had too little memory to count', () => {
    expect(() => proveManifest(found, stating({ liveKeys: null, kvHash: null }))).not.toThrow();
    expect(() => proveManifest(sampleInspection({ liveKeys: undefined, kvHash: undefined }), manifest)).not.toThrow();
  });

  it.each<[string, Record<string, string>]>([
    ['of another backup', { ...context, 'etcd-warden:backup': 'another' }],
    ['with more in it', { ...context, extra: 'x' }],
    ['with less in it', { 'etcd-warden:backup': place.id.text }],
  ])('that states an encryption context %s is not valid', (_, stated) => {
    const altered = {
      ...manifest,
      encryption: { ...encryption, recipients: [...encryption.recipients], context: stated },
    };
    expect(() => proveManifest(found, altered)).toThrow(wardenError('manifest-invalid', 'encryption context'));
  });

  it('that states another revision at the start than its id is not valid', () => {
    const altered: Manifest = { ...manifest, freshness: { checked: true, readRevision: '6' } };
    expect(() => proveManifest(found, altered)).toThrow(wardenError('manifest-invalid', 'revision 6'));
    const unchecked: Manifest = { ...manifest, freshness: { checked: false, reason: 'no quorum' } };
    expect(() => proveManifest(found, unchecked)).not.toThrow();
  });
});
