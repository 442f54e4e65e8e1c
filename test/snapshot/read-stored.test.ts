import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAesKeyFileProvider } from '../../src/adapters/keys/aes-key-file.ts';
import { encryptionContext } from '../../src/manifest/build-manifest.ts';
import type { Manifest } from '../../src/manifest/schema.ts';
import type { KeyProvider } from '../../src/ports/key-provider.ts';
import { snapshotName } from '../../src/repository/layout.ts';
import { describeCompression, describeEncryption } from '../../src/snapshot/describe-snapshot.ts';
import { readStored } from '../../src/snapshot/read-stored.ts';
import { prepareSealing, seal } from '../../src/snapshot/seal.ts';
import { inspectBytes } from '../inspect/inspect-bytes.ts';
import { bytesOf, collect, cutInto } from '../support/byte-streams.ts';
import { etcdSnapshot } from '../support/crafted-etcd-snapshot.ts';
import { wardenError } from '../support/errors.ts';
import { makeKeyFiles, type KeyFiles } from '../support/key-files.ts';
import { placeAt, sampleManifest } from '../support/sample-backup.ts';

const go = new AbortController().signal;
const place = placeAt('2026-11-24T14:00:00Z');
const snapshot = etcdSnapshot(60, 2000);

describe('reading a stored snapshot back', () => {
  let keys: KeyFiles;
  let key: KeyProvider;

  beforeAll(async () => {
    keys = await makeKeyFiles();
    key = createAesKeyFileProvider({ file: await keys.writeAesKey('main'), name: 'main' });
  });

  afterAll(async () => {
    await keys[Symbol.asyncDispose]();
  });

  /** A stored object with the manifest that a backup would have written. */
  async function store(plain: Buffer, isEncrypted: boolean): Promise<{ object: Buffer; manifest: Manifest }> {
    const context = encryptionContext(place.cluster, place.lineage, place.id.text);
    const encryption = isEncrypted ? { providers: [key], context } : 'none';
    const prepared = await prepareSealing({ compression: { algorithm: 'zstd', level: 1 }, encryption }, go);
    await using stream = seal(bytesOf(plain), prepared, go);
    const object = await collect(stream);
    const { facts } = stream;
    const manifest = sampleManifest(place, {
      inspection: inspectBytes(plain),
      compression: describeCompression(prepared, facts),
      encryption: describeEncryption(prepared, context),
      stored: { object: snapshotName(prepared.suffix), sizeBytes: facts.sealedBytes, sha256: facts.sealedSha256 },
    });
    return { object, manifest };
  }

  const read = (object: Uint8Array, manifest: Manifest): Promise<Buffer> =>
    collect(readStored(bytesOf(...cutInto(object, [4096, 100_000])), manifest, [key], go));

  it.each([true, false])('gives the very bytes of etcd (encrypted: %s)', async (isEncrypted) => {
    const { object, manifest } = await store(snapshot, isEncrypted);
    expect((await read(object, manifest)).equals(snapshot)).toBe(true);
  });

  // field: F012
  it.each([true, false])('finds every flipped bit (encrypted: %s)', async (isEncrypted) => {
    const { object, manifest } = await store(snapshot, isEncrypted);
    for (const at of [0, 3, 200, Math.floor(object.length / 2), object.length - 1]) {
      const altered = Buffer.from(object);
      altered[at] = (altered[at] ?? 0) ^ 0x10;
      await expect(read(altered, manifest)).rejects.toMatchObject({ exitStatus: 3 });
    }
  });

  it('finds what was cut off and what was appended', async () => {
    const { object, manifest } = await store(snapshot, true);
    await expect(read(object.subarray(0, -1), manifest)).rejects.toEqual(wardenError('object-damaged', 'ends after'));
    await expect(read(Buffer.concat([object, Buffer.alloc(1)]), manifest)).rejects.toEqual(
      wardenError('object-damaged', 'longer'),
    );
    await expect(read(Buffer.alloc(0), manifest)).rejects.toMatchObject({ exitStatus: 3 });
  });

  it('refuses an encrypted snapshot that was sealed for another backup', async () => {
    const { object, manifest } = await store(snapshot, true);
    const moved = { ...manifest, id: placeAt('2026-11-24T15:00:00Z').id.text };
    await expect(read(object, moved)).rejects.toEqual(wardenError('context-mismatch'));
  });

  it('refuses a snapshot that is not sound, though it is the one that was stored', async () => {
    const damaged = Buffer.from(snapshot);
    damaged[snapshot.length - 1] = (damaged[snapshot.length - 1] ?? 0) ^ 1;
    const { object, manifest } = await store(damaged, true);
    await expect(read(object, manifest)).rejects.toEqual(wardenError('trailer-mismatch'));
  });

  it.each<[string, (facts: Manifest['snapshot']) => Partial<Manifest['snapshot']>]>([
    ['size', ({ sizeBytes }) => ({ sizeBytes: sizeBytes + 1 })],
    ['SHA-256', () => ({ sha256: createHash('sha256').digest('hex') })],
    ['HASH', ({ hash }) => ({ hash: hash ^ 1 })],
    ['revision', ({ revision }) => ({ revision: `${revision}0` })],
  ])('refuses a sound snapshot whose %s is not what the manifest says', async (what, change) => {
    const { object, manifest } = await store(snapshot, true);
    const code = what === 'size' || what === 'SHA-256' ? 'object-damaged' : 'manifest-differs';
    const other = { ...manifest, snapshot: { ...manifest.snapshot, ...change(manifest.snapshot) } };
    await expect(read(object, other)).rejects.toEqual(wardenError(code, 'the manifest says'));
  });

  it('does not expand beyond the size that the manifest gives', async () => {
    const { object, manifest } = await store(snapshot, false);
    const smaller = { ...manifest, snapshot: { ...manifest.snapshot, sizeBytes: snapshot.length - 1 } };
    await expect(read(object, smaller)).rejects.toEqual(wardenError('object-damaged', 'beyond'));
  });
});
