import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compose, type Parts } from '../../src/agent/compose.ts';
import { unmeasured } from '../../src/agent/unmeasured.ts';
import { loadConfig } from '../../src/config/load.ts';
import { WardenError } from '../../src/errors/warden-error.ts';
import { verifyBackups } from '../../src/jobs/verify.ts';
import { decodeManifest } from '../../src/manifest/manifest.ts';
import type { Manifest } from '../../src/manifest/schema.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { recordingLog } from '../jobs/repositories.ts';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { type KeyFiles, makeKeyFiles } from '../support/key-files.ts';
import { localRepository } from './support/places.ts';
import { type EndedWarden, requireStatus, startWarden } from './support/warden-process.ts';
import { makeTempFolder, type TempFolder, writeConfig } from './support/warden.ts';

/**
 * The smallest real backup, damaged in every way there is. As backups are stored by default, each byte is flipped and
 * every length tried; of the other ways `npm test` takes a sample. `npm run test:damage` takes every byte and length of all
 * ways, and every bit of the default.
 */
const isWhole = process.env['DAMAGE'] === 'whole';
const seed = Number(process.env['DAMAGE_SEED'] ?? Math.floor(Math.random() * 1_000_000));
const never = new AbortController().signal;

/** Positions tried where not all are; verifying takes some milliseconds. */
const sampleSize = 400;

let cluster: Cluster;
let keys: KeyFiles;
let aesKey: string;

beforeAll(async () => {
  [cluster, keys] = await Promise.all([startCluster(), makeKeyFiles()]);
  aesKey = await keys.writeAesKey('site');
  for (const name of ['a', 'b', 'c']) await cluster.etcdctl(['put', `/registry/secrets/${name}`, `value of ${name}`]);
  await cluster.etcdctl(['del', '/registry/secrets/b']);
});
afterAll(async () => {
  await Promise.all([cluster?.[Symbol.asyncDispose](), keys?.[Symbol.asyncDispose]()]);
});

const sealings = [
  { what: 'compressed and sealed', name: 'snapshot.db.zst.enc', compression: 'zstd', isSealed: true, isDefault: true },
  { what: 'sealed', name: 'snapshot.db.enc', compression: 'none', isSealed: true, isDefault: false },
  { what: 'compressed', name: 'snapshot.db.zst', compression: 'zstd', isSealed: false, isDefault: false },
  { what: 'as etcd sent it', name: 'snapshot.db', compression: 'none', isSealed: false, isDefault: false },
] as const;

describe.each(sealings)(`a backup stored $what (seed ${seed})`, ({ name, compression, isSealed, isDefault }) => {
  let folder: TempFolder;
  let configFile: string;
  let parts: Parts;
  let id: string;
  let objectFile: string;
  let manifestFile: string;
  let object: Buffer;
  let manifest: Buffer;

  beforeAll(async () => {
    folder = await makeTempFolder();
    configFile = await writeConfig(folder.path, {
      cluster: { name: 'test', endpoints: cluster.endpoints },
      snapshot: { compression: { algorithm: compression } },
      encryption: isSealed ? { recipients: [{ type: 'aes-key-file', file: aesKey, name: 'site' }] } : 'none',
      repositories: [localRepository(folder.path)],
    });
    const taken = requireStatus(await run('backup', '--tag', 'purpose=damage'), 0).json();
    id = (taken as { backup: string }).backup;
    const files = await readdir(folder.path, { recursive: true });
    objectFile = join(folder.path, files.find((path) => path.endsWith(`/${name}`)) ?? 'none');
    manifestFile = join(folder.path, files.find((path) => path.endsWith('/manifest.json')) ?? 'none');
    [object, manifest] = await Promise.all([readFile(objectFile), readFile(manifestFile)]);
    const log = recordingLog();
    parts = await compose(await loadConfig(configFile, {}), { log, measures: unmeasured });
  });
  afterAll(async () => {
    await parts?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  const run = (...args: string[]): Promise<EndedWarden> => startWarden([...args, '--json'], { configFile }).ended;

  /** Verifies with a role that may only read, so that no evidence piles up; resolves with what is wrong. */
  async function verify(): Promise<WardenError | undefined> {
    const repositories = parts.repositories.map((repository) => ({ ...repository, store: readOnly(repository.store) }));
    const selection = { kind: 'references', references: [id] } as const;
    const progress = (): void => undefined;
    const { backups, failed } = await verifyBackups({ ...parts, repositories, progress }, 'test', selection, never);
    return backups[0]?.error ?? failed.values().next().value;
  }

  async function verifyObject(bytes: Uint8Array): Promise<WardenError | undefined> {
    await writeFile(objectFile, bytes);
    try {
      return await verify();
    } finally {
      await writeFile(objectFile, object);
    }
  }

  /** Everything for which `verify` did not end with the status for damage: nothing, if all is well. */
  async function undetected<Change>(
    changes: Iterable<Change>,
    damage: (change: Change) => Uint8Array,
  ): Promise<unknown[]> {
    const missed: unknown[] = [];
    for (const change of changes) {
      const error = await verifyObject(damage(change));
      if (error?.exitStatus !== 3) missed.push({ change, error });
    }
    return missed;
  }

  /** All numbers below `count`, or a sample of them, evenly spread. */
  function positions(count: number): number[] {
    const step = isWhole || isDefault ? 1 : Math.ceil(count / sampleSize);
    return Array.from({ length: count }, (_, index) => index).filter((index) => index % step === seed % step);
  }

  function flipsOf(bytes: Uint8Array): Flip[] {
    const bits = isWhole && isDefault ? [0, 1, 2, 3, 4, 5, 6, 7] : [undefined];
    return positions(bytes.length).flatMap((at) => bits.map((bit) => ({ at, bit: bit ?? (at * 5 + seed) % 8 })));
  }

  test('is whole as long as nobody touched it', async () => {
    expect(await verify()).toBeUndefined();
  });

  test('is damaged whichever of its bytes is flipped', { timeout: 900_000 }, async () => {
    expect(await undetected(flipsOf(object), (flip) => flipped(object, flip))).toEqual([]);
  });

  test('is damaged wherever it is cut off', { timeout: 900_000 }, async () => {
    // Lengths at which a file looks like a whole one, with and without its trailer, are always among them.
    const telling = Array.from({ length: Math.ceil(object.length / 4096) }, (_, page) => [
      page * 4096,
      page * 4096 + 32,
    ]).flat();
    const lengths = [...positions(object.length), ...telling.filter((length) => length < object.length)];
    expect(await undetected(lengths, (length) => object.subarray(0, length))).toEqual([]);
  });

  test('is damaged with whatever is appended', async () => {
    const appended = [
      Buffer.alloc(1),
      Buffer.from('\n'),
      Buffer.alloc(32),
      object.subarray(-32),
      object,
      Buffer.alloc(1_048_576),
    ];
    expect(await undetected(appended, (more) => Buffer.concat([object, more]))).toEqual([]);
  });

  // field: F012
  test('ends verify with status 3, and restores nothing, when one bit is flipped', async () => {
    await writeFile(objectFile, flipped(object, { at: object.length >> 1, bit: 3 }));
    const target = join(folder.path, 'restored.db');
    const outcomes = [await run('restore', id, '--to', target), await run('verify', id), await run('list', '--check')];
    await writeFile(objectFile, object);
    expect(outcomes.map(({ status }) => status)).toEqual([3, 3, 3]);
    expect((await readdir(folder.path)).filter((file) => file.includes('restored'))).toEqual([]);
    // The evidence stays until a read-back passes, in another second than the damage was seen.
    await expect
      .poll(async () => (await run('verify', id)).status === 0 && (await run('verify', 'latest')).status, {
        timeout: 10_000,
      })
      .toBe(0);
  });

  test('has a manifest of which no flipped byte makes a wrong statement pass', { timeout: 900_000 }, async () => {
    const place = (JSON.parse(manifest.toString()) as Manifest).cluster;
    const decode = (bytes: Uint8Array): Manifest =>
      decodeManifest(bytes, { cluster: place.name, lineage: place.lineage, id });
    const proved = withoutUnproved(decode(manifest));
    const missed: unknown[] = [];
    for (const flip of flipsOf(manifest)) {
      const bytes = flipped(manifest, flip);
      await writeFile(manifestFile, bytes);
      const error = await verify();
      const isRefused = error?.exitStatus === 3 || error?.code === 'manifest-unsupported';
      if (isRefused) continue;
      const isHarmless =
        error === undefined && JSON.stringify(withoutUnproved(decode(bytes))) === JSON.stringify(proved);
      if (!isHarmless) missed.push({ ...flip, near: bytes.subarray(flip.at - 20, flip.at + 20).toString(), error });
    }
    await writeFile(manifestFile, manifest);
    expect(missed).toEqual([]);
  });
});

/** A manifest without what neither the stored bytes nor their place can prove. SECURITY.md lists the same. */
function withoutUnproved(manifest: Manifest): object {
  const {
    tool: _tool,
    member: _member,
    liveMembers: _live,
    timings: _timings,
    tags: _tags,
    restore: _restore,
    ...rest
  } = manifest;
  const { encryptionProviders: _providers, ...snapshot } = rest.snapshot;
  return {
    ...rest,
    snapshot,
    compression: { ...rest.compression, level: 'any' },
    encryption:
      rest.encryption === 'none' ? 'none' : { format: rest.encryption.format, context: rest.encryption.context },
    checks: rest.checks.map(({ name, result }) => ({ name, result })),
  };
}

interface Flip {
  readonly at: number;
  readonly bit: number;
}

function flipped(bytes: Uint8Array, { at, bit }: Flip): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << bit);
  return copy;
}

function readOnly(store: ObjectStore): ObjectStore {
  const refuse = (): Promise<never> =>
    Promise.reject(new WardenError('store-access-denied', 'this role may only read'));
  return {
    description: store.description,
    create: refuse,
    startUpload: refuse,
    removeAll: refuse,
    unfinishedUploads: () => {
      throw new WardenError('store-access-denied', 'this role may only read');
    },
    read: (...args) => store.read(...args),
    stat: (...args) => store.stat(...args),
    list: (...args) => store.list(...args),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
