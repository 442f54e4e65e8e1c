import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAesKeyFileProvider } from '../../src/adapters/keys/aes-key-file.ts';
import type { KeyProvider } from '../../src/ports/key-provider.ts';
import { openFile } from '../../src/snapshot/open-file.ts';
import { prepareSealing, seal, type Sealing } from '../../src/snapshot/seal.ts';
import { bytesOf, collect } from '../support/byte-streams.ts';
import { etcdSnapshot } from '../support/crafted-etcd-snapshot.ts';
import { wardenError } from '../support/errors.ts';
import { makeKeyFiles, type KeyFiles } from '../support/key-files.ts';
import { createMemoryFiles, type MemoryFiles } from '../support/memory-files.ts';

const go = new AbortController().signal;
const snapshot = etcdSnapshot();
const zip = Buffer.concat([Buffer.from('PK\u0003\u0004'), randomBytes(100)]);

describe('opening a local file', () => {
  let keys: KeyFiles;
  let key: KeyProvider;
  let files: MemoryFiles;

  beforeAll(async () => {
    keys = await makeKeyFiles();
    key = createAesKeyFileProvider({ file: await keys.writeAesKey('main'), name: 'main' });
  });

  afterAll(async () => {
    await keys[Symbol.asyncDispose]();
  });

  async function open(
    bytes: Uint8Array,
    identities: readonly KeyProvider[] = [],
    name = '/backups/file',
  ): Promise<[string, Buffer]> {
    files = createMemoryFiles({ [name]: Buffer.from(bytes) });
    const { format, snapshot: opened } = await openFile(files.read(name), identities, go);
    return [format, await collect(opened)];
  }

  async function sealed(compression: Sealing['compression']): Promise<Buffer> {
    const encryption = { providers: [key], context: { 'etcd-warden:backup': 'some' } };
    await using stream = seal(bytesOf(snapshot), await prepareSealing({ compression, encryption }, go), go);
    return await collect(stream);
  }

  it('gives a plain snapshot as it is', async () => {
    expect(await open(snapshot)).toEqual(['bolt', snapshot]);
  });

  it('gives what is in a compressed snapshot', async () => {
    expect(await open(zstdCompressSync(snapshot))).toEqual(['zstd', snapshot]);
  });

  it.each<Sealing['compression']>([{ algorithm: 'none' }, { algorithm: 'zstd', level: 1 }])(
    'gives what is in an encrypted one with the compression $algorithm, whatever its place was',
    async (compression) => {
      expect(await open(await sealed(compression), [key])).toEqual(['encryption-sdk-message', snapshot]);
    },
  );

  it('names the missing key of an encrypted one', async () => {
    await expect(open(await sealed({ algorithm: 'none' }))).rejects.toEqual(wardenError('no-identity'));
  });

  // field: F009
  it.each<[string, Buffer, string]>([
    ['gzip data', gzipSync(snapshot), 'gzip data'],
    ['a zip archive', zip, 'a zip archive'],
    ['text of several blocks', Buffer.from('kind: List\n'.repeat(300_000)), 'text'],
  ])('refuses %s and says what it is', async (_, bytes, words) => {
    await expect(open(bytes)).rejects.toEqual(
      wardenError('not-a-snapshot', '/backups/file', words, 'expected a snapshot'),
    );
    expect(files.reading.size).toBe(0);
  });

  // field: F010
  it('refuses the unfinished file of a run by its name, whatever is in it', async () => {
    await expect(open(snapshot, [], '/backups/.snapshot.db.part-0a1b2c3d')).rejects.toEqual(
      wardenError('not-a-snapshot', 'unfinished'),
    );
  });

  // field: F023
  it.each([0, 1, 31, 511, 8192])('leaves the judgement of %i unknown bytes to their inspection', async (sizeBytes) => {
    const bytes = Buffer.alloc(sizeBytes, 1);
    expect(await open(bytes)).toEqual(['unknown', bytes]);
  });

  it('says that a file cannot be read', async () => {
    const none = createMemoryFiles();
    await expect(openFile(none.read('/no/such'), [], go)).rejects.toEqual(wardenError('file-failed', '/no/such'));
  });

  it('closes the file when the reader leaves early', async () => {
    files = createMemoryFiles({ '/s': Buffer.concat([snapshot, randomBytes(3 * 1024 ** 2)]) });
    const { snapshot: opened } = await openFile(files.read('/s'), [], go);
    for await (const block of opened) {
      expect([block.length, files.reading.size]).toEqual([1024 ** 2, 1]);
      break;
    }
    expect(files.reading.size).toBe(0);
  });
});
