import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/manifest/schema.ts';
import { startCluster } from '../support/etcd.ts';
import { type KeyFiles, makeKeyFiles } from '../support/key-files.ts';
import { startKms, testCredentials, type TestKms } from '../support/kms.ts';
import { cleanEnvironment } from '../support/process.ts';
import { snapshotStatus } from '../support/snapshot-fixtures.ts';
import { etcdBinary, preparePython } from '../support/toolchain.ts';
import { type DocumentedPage, readPage } from './support/documented.ts';
import { fill } from './support/filled-cluster.ts';
import { localRepository } from './support/places.ts';
import { makeTempFolder, runWarden, type TempFolder, writeConfig } from './support/warden.ts';

/**
 * What docs/format.md tells people to do where there is no etcd-warden, run to the letter: Python's AWS Encryption SDK,
 * its command line, zstd and etcdutl open, check and restore what is stored. None of our code reads it.
 */
const execute = promisify(execFile);
const stack = new AsyncDisposableStack();
const snapshotMb = 10;

let page: DocumentedPage;
let pythonPrograms: string;
let folder: TempFolder;
let keys: KeyFiles;
let kms: TestKms;
let backups: readonly [Manifest, Manifest];
/** Of the first backup, as our own `restore --to` writes it. */
let restoredByUs: string;
/** How each kind of key opens, with what the commands need of it. */
let ways: Readonly<Record<string, { readonly heading: string; readonly variables: Readonly<Record<string, string>> }>>;

beforeAll(async () => {
  page = await readPage('format.md');
  pythonPrograms = await preparePython();
  folder = stack.use(await makeTempFolder());
  keys = stack.use(await makeKeyFiles());
  kms = stack.use(await startKms());
  const keyArn = await kms.createKey();
  const [aesKey, rsaPair] = [await keys.writeAesKey('site'), await keys.writeRsaPair('recovery')];
  ways = {
    'KMS': { heading: '3. Open with KMS', variables: { key_arn: keyArn } },
    'an AES key file': { heading: '3. Open with a key file', variables: { key_file: aesKey, key_name: 'site-2026' } },
    'an RSA recovery key': {
      heading: '3. Open with a key file',
      variables: { key_file: rsaPair.privateFile, key_name: 'recovery' },
    },
  };
  const cluster = stack.use(await startCluster({ version: '3.6' }));
  await fill(cluster.endpoints[0] ?? '', snapshotMb);
  await mkdir(join(folder.path, 'repository'));
  const configFile = await writeConfig(folder.path, {
    cluster: { name: 'prod', endpoints: cluster.endpoints },
    aws: { kmsEndpoint: kms.endpoint },
    encryption: {
      recipients: [
        { type: 'aws-kms', keyArn },
        { type: 'aes-key-file', file: aesKey, name: 'site-2026' },
        { type: 'rsa-public-key', file: rsaPair.publicFile, name: 'recovery' },
      ],
    },
    repositories: [localRepository(join(folder.path, 'repository'))],
    log: { level: 'warn' },
  });
  const warden = { configFile, env: awsEnvironment() };
  const backUp = async (): Promise<Manifest> =>
    ((await runWarden(['backup'], warden)) as { manifest: Manifest }).manifest;
  backups = [await backUp(), await backUp()];
  restoredByUs = join(folder.path, 'restored-by-us.db');
  await runWarden(['restore', backups[0].id, '--to', restoredByUs], warden);
}, 300_000);

afterAll(() => stack.disposeAsync());

describe('a stored backup, without etcd-warden', () => {
  test.each(['KMS', 'an AES key file', 'an RSA recovery key'])(
    'opens with %s to the bytes that etcd sent',
    async (way) => {
      const work = await fetchBackup(backups[0], way);
      expect(await work.run('2. Check what is stored')).toContain(`"sha256": "${backups[0].stored.sha256}"`);
      await work.open(way);
      await work.run('4. Decompress');
      const printed = await work.run('5. Check the snapshot');
      expect(printed).toContain(`"sha256": "${backups[0].snapshot.sha256}"`);
      expect(printed).toContain(backups[0].snapshot.hash.toString(16));
      expect((await readFile(work.file('snapshot.db'))).equals(await readFile(restoredByUs))).toBe(true);
    },
  );

  test('is for etcdutl what the manifest says, and etcdutl restores it', async () => {
    const [{ snapshot }] = backups;
    const work = await fetchBackup(backups[0], 'restored');
    await work.open('an AES key file');
    await work.run('4. Decompress');
    expect(await snapshotStatus('3.6', work.file('snapshot.db'))).toMatchObject({
      hash: snapshot.hash,
      revision: Number(snapshot.revision),
      totalKey: snapshot.liveKeys,
      version: snapshot.storageVersion,
    });
    const dataDir = work.file('data');
    await work.run('6. Restore', { data_dir: dataDir, member: 'm1', peer_url: 'http://127.0.0.1:2380' });
    expect((await readFile(join(dataDir, 'member/snap/db'))).length).toBeGreaterThanOrEqual(snapshot.sizeBytes - 32);
  });

  test('is decompressed by Python where there is no zstd', async () => {
    const work = await fetchBackup(backups[0], 'unpacked');
    await work.open('an AES key file');
    await writeFile(work.file('unpack.py'), page.block('4. Decompress', 'python'));
    await work.shell('python3 unpack.py snapshot.db.zst snapshot.db');
    expect((await readFile(work.file('snapshot.db'))).equals(await readFile(restoredByUs))).toBe(true);
  });

  test.each(['KMS', 'an AES key file'])('is told from another one that was put in its place, with %s', async (way) => {
    const work = await fetchBackup(backups[0], `moved, ${way}`);
    const other = await fetchBackup(backups[1], `other, ${way}`);
    await cp(other.file('snapshot.db.zst.enc'), work.file('snapshot.db.zst.enc'));
    await expect(work.run('2. Check what is stored')).rejects.toThrow('Command failed');
    await expect(work.open(way)).rejects.toThrow(/belongs to another backup|encryption context did not match/);
    await expect(readFile(work.file('snapshot.db.zst'))).rejects.toThrow('ENOENT');
  });
});

/** A folder with the two objects of a backup, in which a reader of the page works. */
async function fetchBackup({ id, cluster }: Manifest, name: string) {
  const path = join(folder.path, name);
  await cp(join(folder.path, 'repository', cluster.name, cluster.lineage, id), path, { recursive: true });
  const tools = [pythonPrograms, dirname(etcdBinary('etcdutl', '3.6')), process.env['PATH']].join(delimiter);
  const shell = async (script: string, variables: Readonly<Record<string, string>> = {}): Promise<string> => {
    const env = { PATH: tools, ...awsEnvironment(), cluster: cluster.name, lineage: cluster.lineage, id, ...variables };
    return (await execute('bash', ['-euo', 'pipefail', '-c', script], { cwd: path, env: cleanEnvironment(env) }))
      .stdout;
  };
  const run = (heading: string, variables: Readonly<Record<string, string>> = {}): Promise<string> =>
    shell(page.block(heading, 'sh'), variables);
  return {
    file: (fileName: string): string => join(path, fileName),
    shell,
    /** The commands under a heading of the page. */
    run,
    async open(way: string): Promise<void> {
      const { heading, variables } = ways[way] ?? { heading: way, variables: {} };
      if (heading.includes('key file')) await writeFile(join(path, 'open_sealed.py'), page.block(heading, 'python'));
      await run(heading, variables);
    },
  };
}

/** For the AWS SDKs, ours and Python's: credentials of the test KMS, and where it is. */
function awsEnvironment(): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_KMS: kms.endpoint,
  };
}
