import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { craftSnapshot } from '../support/craft.ts';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { etcdBuckets, revisionsOf } from '../support/mvcc-history.ts';
import { localRepository } from './support/places.ts';
import { type EndedWarden, requireStatus, startWarden } from './support/warden-process.ts';
import { makeTempFolder, type TempFolder, writeConfig } from './support/warden.ts';
import { type KeyFiles, makeKeyFiles } from '../support/key-files.ts';

const snapshot = craftSnapshot(
  etcdBuckets(
    revisionsOf(
      Array.from({ length: 30 }, (_, i) => ({ key: `/k${i}`, value: Buffer.alloc(50, i), sameTransaction: false })),
    ),
  ),
);
const otherDatabase = craftSnapshot([{ name: 'widgets', entries: [[Buffer.from('a'), Buffer.from('b')]] }]);
const zipArchive = Buffer.from('504b0304140000000800', 'hex');
const tail = Buffer.alloc(4096, 1);

interface Given {
  readonly name: string;
  readonly bytes: Buffer;
  readonly code: string | undefined;
  readonly status: number;
  readonly says: RegExp;
}

const given: readonly Given[] = [
  { name: 'snapshot.db', bytes: snapshot, code: undefined, status: 0, says: /^/ },
  { name: 'snapshot.db.zst', bytes: zstdCompressSync(snapshot), code: undefined, status: 0, says: /^/ },
  {
    name: 'snapshot.db.gz',
    bytes: gzipSync(snapshot),
    code: 'not-a-snapshot',
    status: 3,
    says: /is gzip data, expected a snapshot/,
  },
  {
    name: 'snapshot.zip',
    bytes: Buffer.concat([zipArchive, tail]),
    code: 'not-a-snapshot',
    status: 3,
    says: /is a zip archive, expected a snapshot/,
  },
  {
    name: 'notes.txt',
    bytes: Buffer.from('remember the milk\n'),
    code: 'not-a-snapshot',
    status: 3,
    says: /is text, expected a snapshot/,
  },
  {
    name: 'snapshot.db.part-0a1b2c',
    bytes: snapshot,
    code: 'not-a-snapshot',
    status: 3,
    says: /is the unfinished file of a run that was cut off/,
  },
  { name: 'raw.db', bytes: snapshot.subarray(0, -32), code: 'trailer-missing', status: 3, says: /trailer|SHA-256/ },
  { name: 'other.db', bytes: otherDatabase, code: 'snapshot-not-etcd', status: 3, says: /bucket/ },
  {
    name: 'noise.db',
    bytes: Buffer.from(tail.map((_, i) => (i * 7919) >> 3)),
    code: 'snapshot-not-etcd',
    status: 3,
    says: /bolt/,
  },
  { name: 'empty.db', bytes: Buffer.alloc(0), code: 'snapshot-not-etcd', status: 3, says: /empty/ },
];

let folder: TempFolder;
let keys: KeyFiles;
let cluster: Cluster;
let configFile: string;

beforeAll(async () => {
  [folder, keys, cluster] = await Promise.all([makeTempFolder(), makeKeyFiles(), startCluster()]);
  for (const { name, bytes } of given) await writeFile(join(folder.path, name), bytes);
  configFile = await configureWith(await keys.writeAesKey('first'), 'first');
  requireStatus(await run('backup'), 0);
});
afterAll(async () => {
  await Promise.all([folder, keys, cluster].map((each) => each?.[Symbol.asyncDispose]()));
});

const run = (...args: string[]): Promise<EndedWarden> => startWarden([...args, '--json'], { configFile }).ended;

function configureWith(file: string, name: string): Promise<string> {
  return writeConfig(folder.path, {
    cluster: { name: 'test', endpoints: cluster.endpoints },
    encryption: { recipients: [{ type: 'aes-key-file', file, name }] },
    repositories: [localRepository(folder.path)],
  });
}

// field: F009
describe.each(given)('a local file $name', ({ name, code, status, says }) => {
  test('is restored where it is a snapshot, else refused by what it is', async () => {
    const target = join(folder.path, `restored-${name}.db`);
    const ended = requireStatus(await run('restore', join(folder.path, name), '--to', target), status);
    const made = (await readdir(folder.path)).filter((file) => file.includes('restored-'));
    if (code === undefined) {
      expect((await readFile(target)).equals(snapshot)).toBe(true);
      return;
    }
    expect(ended.json()).toMatchObject({ error: { code, message: expect.stringMatching(says) as string } });
    expect(made.filter((file) => file.includes(`restored-${name}.db`))).toEqual([]);
  });

  // field: F023
  test('is inspected to the same verdict', async () => {
    const ended = requireStatus(await run('inspect', join(folder.path, name)), status);
    if (code !== undefined)
      expect(ended.json()).toMatchObject({ error: { code, message: expect.stringMatching(says) as string } });
    expect(ended.stdout + ended.stderr).not.toMatch(/\n\s+at .*:\d+:\d+/);
  });
});

// field: F009
test('a stored object is restored with its key, and without it the keys that could are named', async () => {
  const files = await readdir(folder.path, { recursive: true });
  const object = join(folder.path, files.find((file) => file.endsWith('.zst.enc')) ?? 'none');
  const target = join(folder.path, 'opened.db');
  expect(await run('restore', object, '--to', target)).toMatchObject({ status: 0 });
  configFile = await configureWith(await keys.writeAesKey('second'), 'second');
  const refused = await run('restore', object, '--to', `${target}.2`);
  expect(refused.json()).toMatchObject({
    error: { code: 'no-identity', message: expect.stringContaining('first') as string },
  });
  expect(refused.status).toBe(1);
  expect((await readdir(folder.path)).filter((file) => file.includes('opened.db.2'))).toEqual([]);
});
