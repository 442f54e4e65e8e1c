import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Etcd3 } from 'etcd3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/manifest/schema.ts';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { snapshotMessages, startFakeEtcd } from '../support/fake-etcd.ts';
import { type KeyFiles, makeKeyFiles } from '../support/key-files.ts';
import { startKms, type TestKms } from '../support/kms.ts';
import { type S3Server, startS3Server } from '../support/s3.ts';
import { snapshotStatus, startSnapshotSource } from '../support/snapshot-fixtures.ts';
import { etcdBinary, etcdVersions } from '../support/toolchain.ts';
import { awsEnvironment, makePlaces, type Places } from './support/places.ts';
import { type EndedWarden, requireStatus, startWarden } from './support/warden-process.ts';

interface BackupDocument {
  readonly backup: string;
  readonly manifest: Manifest;
  readonly repositories: readonly { readonly name: string; readonly result: string }[];
}

const stack = new AsyncDisposableStack();
let s3: S3Server;
let keys: KeyFiles;
let env: Record<string, string>;

beforeAll(async () => {
  s3 = stack.use(await startS3Server());
  keys = stack.use(await makeKeyFiles());
  env = awsEnvironment(s3.credentials);
});
afterAll(() => stack.disposeAsync());

const execute = promisify(execFile);
const run = (configFile: string, ...args: string[]): Promise<EndedWarden> =>
  startWarden([...args, '--json'], { configFile, env }).ended;

describe('a cluster of three with mTLS, sealed to a KMS key and a recovery key, into S3 and a directory', () => {
  const own = new AsyncDisposableStack();
  let cluster: Cluster;
  let kms: TestKms;
  let places: Places;
  let recovery: { readonly publicFile: string; readonly privateFile: string };
  let sections: Record<string, object>;
  let configFile: string;
  let backup: BackupDocument;

  beforeAll(async () => {
    cluster = own.use(await startCluster({ members: 3, tls: 'mtls' }));
    kms = own.use(await startKms());
    places = own.use(await makePlaces(s3));
    recovery = await keys.writeRsaPair('recovery');
    await fillOverTls(cluster);
    const { caFile, client } = cluster.certificates ?? {};
    sections = {
      cluster: { name: 'test', endpoints: cluster.endpoints, tls: { caFile, ...client } },
      aws: { kmsEndpoint: kms.endpoint },
      encryption: {
        recipients: [
          { type: 'aws-kms', keyArn: await kms.createKey() },
          { type: 'rsa-public-key', file: recovery.publicFile, name: 'recovery' },
        ],
      },
    };
    configFile = await places.configure(sections);
    backup = requireStatus(await run(configFile, 'backup', '--tag', 'reason=test'), 0).json() as BackupDocument;
  });
  afterAll(() => own.disposeAsync());

  test('is stored in both, with every check passed', async () => {
    expect(backup.repositories).toEqual([
      { name: 'cloud', result: 'stored', unchecked: [] },
      { name: 'local', result: 'stored', unchecked: [] },
    ]);
    const { checks, liveMembers, member, encryption, tags } = backup.manifest;
    expect(checks.map(({ result }) => result)).toEqual(Array.from(checks, () => 'passed'));
    expect(Object.fromEntries(liveMembers.map((live) => [live.member, live.result]))).toEqual({
      m1: 'equal',
      m2: 'equal',
      m3: 'equal',
    });
    expect(member).toMatchObject({ role: 'follower', version: expect.stringMatching(/^3\.6\./) as string });
    expect(encryption).toMatchObject({
      recipients: [{ kind: 'aws-kms' }, { kind: 'rsa-public-key', name: 'recovery' }],
    });
    expect(tags).toEqual({ reason: 'test' });
  });

  describe.each(['cloud', 'local'])('from repository %s', (repository) => {
    test('it is listed, shown and verified', async () => {
      const only = ['--repository', repository];
      const [listed, shown, verified] = await Promise.all([
        run(configFile, 'list', '--check', ...only),
        run(configFile, 'show', backup.backup, ...only),
        run(configFile, 'verify', backup.backup, ...only),
      ]);
      expect([listed.status, shown.status, verified.status]).toEqual([0, 0, 0]);
      expect(listed.json()).toMatchObject({
        repositories: [
          {
            name: repository,
            backups: [{ id: backup.backup, state: 'complete', storedBytes: backup.manifest.stored.sizeBytes }],
          },
        ],
      });
      expect(shown.json()).toMatchObject({ repository, state: 'complete', manifest: backup.manifest });
      expect(verified.json()).toMatchObject({
        backups: [
          {
            repository,
            id: backup.backup,
            result: 'verified',
            snapshotBytes: backup.manifest.snapshot.sizeBytes,
            recorded: true,
          },
        ],
      });
    });

    // field: F001
    test('it is restored as the bytes that the manifest describes, which etcdutl takes without skipping a check', async () => {
      const target = join(places.folder, `${repository}.db`);
      expect(
        await run(configFile, 'restore', 'latest-verified', '--to', target, '--repository', repository),
      ).toMatchObject({ status: 0 });
      await expectSnapshot(target, backup.manifest, places.folder);
      expect((await stat(target)).mode & 0o777).toBe(0o600);
    });
  });

  test('with KMS gone it is opened by the recovery key alone, and without that it is not', async () => {
    await kms[Symbol.asyncDispose]();
    const target = join(places.folder, 'recovered.db');
    const failed = await run(configFile, 'restore', 'latest', '--to', target);
    expect(failed.json()).toMatchObject({ error: { code: 'key-unreachable' } });
    expect(failed.status).toBe(1);
    expect((await readdir(places.folder)).filter((name) => name.includes('recovered'))).toEqual([]);

    const identities = [{ type: 'rsa-private-key', file: recovery.privateFile, name: 'recovery' }];
    const recovering = await places.configure({ ...sections, encryption: { ...sections['encryption'], identities } });
    expect(await run(recovering, 'restore', 'latest', '--to', target)).toMatchObject({ status: 0 });
    await expectSnapshot(target, backup.manifest, places.folder);
    expect(await run(recovering, 'verify', 'latest')).toMatchObject({ status: 0 });
  });
});

// field: F001
test('what is restored is byte for byte what the server streamed', async () => {
  await using places = await makePlaces(s3);
  await using source = await startSnapshotSource('3.6');
  await source.fill('/registry/pods/', 500, 3000);
  const saved = await source.save();
  const { hash } = await source.hashKv(await source.revision());
  // A server of another make, which is given what etcdctl saved, and so knows exactly what it streams.
  await using server = await startFakeEtcd({
    snapshot: async (send) => {
      for (const message of snapshotMessages(saved.bytes.subarray(0, -32))) await send(message);
    },
    hashKV: ({ revision }) => ({
      header: { clusterId: 0xc1n, memberId: 0xa1n, revision },
      hash,
      hashRevision: revision,
      compactRevision: -1n,
    }),
  });
  const configFile = await places.configure({ cluster: { name: 'test', endpoints: [server.endpoint] } });
  requireStatus(await run(configFile, 'backup'), 0);
  for (const repository of ['cloud', 'local']) {
    const target = join(places.folder, `${repository}.db`);
    expect(await run(configFile, 'restore', 'latest', '--to', target, '--repository', repository)).toMatchObject({
      status: 0,
    });
    expect((await readFile(target)).equals(saved.bytes)).toBe(true);
  }
});

// field: F052
describe.each(etcdVersions)('etcd %s with authentication', (version) => {
  const auth = { user: 'root', password: `root-password-${version}` };
  let cluster: Cluster;
  let places: Places;

  beforeAll(async () => {
    [cluster, places] = await Promise.all([startCluster({ version, auth }), makePlaces(s3)]);
    await cluster.etcdctl(['user', 'add', 'reader:reader-password']);
  });
  afterAll(async () => {
    await Promise.all([cluster?.[Symbol.asyncDispose](), places?.[Symbol.asyncDispose]()]);
  });

  async function backUpAs(username: string, password: string): Promise<EndedWarden> {
    const passwordFile = await keys.write(`password-${username}-${version}`, password);
    const configFile = await places.configure({
      cluster: { name: 'test', endpoints: cluster.endpoints, auth: { username, passwordFile } },
    });
    return run(configFile, 'backup');
  }

  test('a user without the root role takes no backup and is told why', async () => {
    const ended = await backUpAs('reader', 'reader-password');
    expect(ended.json()).toMatchObject({ error: { code: 'etcd-permission-denied' } });
    expect(ended.status).toBe(1);
    expect(await places.contents()).toEqual([]);
  });

  test('root takes one of a database without a single key, which etcdutl restores', async () => {
    const ended = requireStatus(await backUpAs('root', auth.password), 0);
    const { manifest } = ended.json() as BackupDocument;
    expect(manifest.snapshot).toMatchObject({ revision: '1', liveKeys: 0 });
    const target = join(places.folder, 'restored.db');
    const configFile = await places.configure({ cluster: { name: 'test', endpoints: cluster.endpoints } });
    expect(await run(configFile, 'restore', 'latest', '--to', target)).toMatchObject({ status: 0 });
    await expectSnapshot(target, manifest, places.folder, version);
  });
});

/** A file that is what the manifest says, by our own count and by etcd's own tool. */
async function expectSnapshot(
  path: string,
  { snapshot }: Manifest,
  folder: string,
  version: (typeof etcdVersions)[number] = '3.6',
): Promise<void> {
  const bytes = await readFile(path);
  const sha256 = (part: Uint8Array): string => createHash('sha256').update(part).digest('hex');
  expect({ sizeBytes: bytes.length, sha256: sha256(bytes) }).toEqual({
    sizeBytes: snapshot.sizeBytes,
    sha256: snapshot.sha256,
  });
  expect(bytes.subarray(-32).toString('hex')).toBe(sha256(bytes.subarray(0, -32)));
  const status = await snapshotStatus(version, path);
  expect(status.hash).toBe(snapshot.hash);
  await execute(etcdBinary('etcdutl', version), [
    'snapshot',
    'restore',
    path,
    '--data-dir',
    join(folder, `${sha256(Buffer.from(path))}.etcd`),
  ]);
}

/** Keys as an API server writes them: many, some overwritten, some deleted, and a compaction in their midst. */
async function fillOverTls(cluster: Cluster): Promise<void> {
  const { endpoints, certificates } = cluster;
  if (certificates === undefined) throw new Error('the cluster has no certificates');
  const { caFile, client: files } = certificates;
  const [rootCertificate, privateKey, certChain] = await Promise.all([
    readFile(caFile),
    readFile(files.keyFile),
    readFile(files.certFile),
  ]);
  // grpc-js cannot check the certificate of an address.
  const host = endpoints[0]?.replace('127.0.0.1', 'localhost') ?? '';
  const client = new Etcd3({ hosts: [host], credentials: { rootCertificate, privateKey, certChain } });
  try {
    const put = (index: number) => client.put(`/registry/pods/p${index % 400}`).value(`${index}`.repeat(300));
    for (let index = 0; index < 600; index += 50)
      await Promise.all(Array.from({ length: 50 }, (_, offset) => put(index + offset)));
    await client.delete().prefix('/registry/pods/p1');
  } finally {
    client.close();
  }
  await cluster.etcdctl(['compact', '300']);
  for (const index of [1, 2, 3]) await cluster.etcdctl(['put', `/registry/pods/p${index}`, 'after the compaction']);
}
