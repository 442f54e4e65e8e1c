import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/manifest/schema.ts';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { type HttpProxy, startHttpProxy } from '../support/http-proxy.ts';
import { freePorts } from '../support/process.ts';
import { restrictedUser, type S3Server, startS3Server } from '../support/s3.ts';
import { fill } from './support/filled-cluster.ts';
import { awsEnvironment, cloudRepository, localRepository, makePlaces, type Places } from './support/places.ts';
import { type EndedWarden, requireStatus, startWarden } from './support/warden-process.ts';

interface RepositoryOutcome {
  readonly name: string;
  readonly result: 'stored' | 'failed';
  readonly code?: string;
}
interface BackupDocument {
  readonly repositories: readonly RepositoryOutcome[];
  readonly manifest: Manifest;
  readonly error?: { readonly code: string; readonly message: string; readonly details: { readonly codes: string[] } };
}

let cluster: Cluster;
let s3: S3Server;
let proxy: HttpProxy;
let places: Places;
let env: Record<string, string>;

beforeAll(async () => {
  [cluster, s3] = await Promise.all([startCluster(), startS3Server()]);
  await fill(cluster.endpoints[0] ?? '', 40);
  env = awsEnvironment(s3.credentials);
});
beforeEach(async () => {
  proxy = await startHttpProxy(s3.endpoint);
  places = await makePlaces(s3, proxy.url);
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await places[Symbol.asyncDispose]();
});
afterAll(async () => {
  await Promise.all([cluster?.[Symbol.asyncDispose](), s3?.[Symbol.asyncDispose]()]);
});

const clusterSection = (): object => ({ name: 'test', endpoints: cluster.endpoints });

async function backUp(sections: object = {}, more: Record<string, string> = {}): Promise<EndedWarden> {
  const configFile = await places.configure({
    cluster: clusterSection(),
    snapshot: { idleTimeout: '2s' },
    ...sections,
  });
  return startWarden(['backup', '--json'], { configFile, env: { ...env, ...more } }).ended;
}

/** One repository holds a whole backup, the other holds nothing, and both are named. */
async function expectPartlyDone(run: EndedWarden, stored: 'cloud' | 'local', code: string): Promise<void> {
  const failed = stored === 'cloud' ? 'local' : 'cloud';
  const { repositories, error } = requireStatus(run, 5).json() as BackupDocument;
  expect(repositories).toEqual([
    { name: stored, result: 'stored', unchecked: [] },
    { name: failed, result: 'failed', code, message: expect.stringMatching(/\S/) as string },
  ]);
  expect(error).toMatchObject({
    code: 'repositories-failed',
    details: { stored: [stored], failed: [failed], codes: [code] },
  });
  expect(error?.message).toMatch(new RegExp(`stored in ${stored} only; ${failed} failed: `));
  const contents = await places.contents();
  const kept = stored === 'cloud' ? 'object' : 'file';
  expect(
    contents.filter((name) => name.startsWith(kept) && /\/(manifest\.json|snapshot\.db\.zst\.enc)$/.test(name)),
  ).toHaveLength(2);
  expect(contents.filter((name) => !name.startsWith(kept))).toEqual([]);
}

describe('with one of two repositories down, the other has the backup', () => {
  test('S3 cannot be reached', async () => {
    const [port] = await freePorts(1);
    const repositories = [
      cloudRepository(`http://127.0.0.1:${port}`, places.bucket),
      localRepository(places.directory),
    ];
    await expectPartlyDone(await backUp({ repositories }), 'local', 'store-unreachable');
  });

  test('S3 denies', async () => {
    await expectPartlyDone(await backUp({}, awsEnvironment(restrictedUser)), 'local', 'store-access-denied');
  });

  test('the directory is none', async () => {
    const path = join(places.folder, 'a-file');
    await writeFile(path, '');
    const repositories = [cloudRepository(proxy.url, places.bucket), localRepository(path)];
    await expectPartlyDone(await backUp({ repositories }), 'cloud', 'store-not-writable');
  });

  test('S3 is killed in the middle of the upload', async () => {
    await using ownServer = await startS3Server();
    const bucket = await ownServer.makeBucket();
    await using ownProxy = await startHttpProxy(ownServer.endpoint);
    const killed = ownProxy.arrival('UploadPart').then(() => ownServer[Symbol.asyncDispose]());
    const repositories = [cloudRepository(ownProxy.url, bucket), localRepository(places.directory)];
    const run = await backUp({ repositories, snapshot: { idleTimeout: '30s' } });
    await killed;
    await expectPartlyDone(run, 'local', 'store-unreachable');
  });

  test('S3 stalls in the middle of the upload: it is dropped, and its upload is not left open', async () => {
    proxy.break('UploadPart', { kind: 'swallow' });
    // One part at a time: else all that is streamed here would find room in the parts under way.
    const repositories = [
      cloudRepository(proxy.url, places.bucket, { concurrency: 1 }),
      localRepository(places.directory),
    ];
    await expectPartlyDone(await backUp({ repositories }), 'local', 'repository-too-slow');
    expect(proxy.count('AbortMultipartUpload')).toBeGreaterThan(0);
  });

  test('and people are told both, too', async () => {
    proxy.break('CreateMultipartUpload', { kind: 'error', status: 403, code: 'AccessDenied' });
    const configFile = await places.configure({ cluster: clusterSection(), log: { format: 'pretty' } });
    const { status, stdout, stderr } = await startWarden(['backup'], { configFile, env }).ended;
    expect(status).toBe(5);
    expect(stdout).toMatch(/^backup \S+ is stored in local\n/);
    expect(stderr).toMatch(/error: stored in local only; cloud failed: .*\nhint:  ?.* \[repositories-failed\]\n/);
  });
});

test('with both repositories down there is no backup, and each reason is given', async () => {
  proxy.break('CreateMultipartUpload', { kind: 'error', status: 403, code: 'AccessDenied' });
  const missing = localRepository(join(places.folder, 'missing'));
  const run = await backUp({ repositories: [cloudRepository(proxy.url, places.bucket), missing] });
  expect(run.status).toBe(1);
  const { error } = run.json() as BackupDocument;
  expect(error?.code).toBe('no-backup-stored');
  expect(error?.details.codes.sort()).toEqual(['store-access-denied', 'store-not-writable']);
  expect(error?.message).toMatch(/cloud: .*local: |local: .*cloud: /);
  expect(await places.contents()).toEqual([]);
});

describe('with a store that is slower than etcd may be held up', () => {
  const snapshot = { idleTimeout: '2s', maxStreamHold: '4s' };

  // field: F007
  test('the stream is given up at its limit and nothing remains', async () => {
    proxy.break('UploadPart', { kind: 'swallow' });
    const repositories = [cloudRepository(proxy.url, places.bucket, { concurrency: 1 })];
    const run = await backUp({ repositories, snapshot });
    expect((run.json() as BackupDocument).error?.code).toBe('stream-held-too-long');
    expect(run.status).toBe(1);
    expect(await places.contents()).toEqual([]);
  });

  test('a spool lets the stream end, and the backup is stored later', async () => {
    const released = proxy.arrival('UploadPart').then(() => delay(6_000));
    proxy.break('UploadPart', { kind: 'hold', until: released });
    const directory = join(places.folder, 'spool');
    await mkdir(directory);
    const repositories = [cloudRepository(proxy.url, places.bucket, { concurrency: 1 })];
    const run = await backUp({ repositories, snapshot: { ...snapshot, spool: { directory, maxSize: '64MiB' } } });
    const { manifest } = requireStatus(run, 0).json() as BackupDocument;
    expect(manifest.timings.streamHeldMs).toBeLessThan(4_000);
    expect(Date.parse(manifest.timings.committedAt) - Date.parse(manifest.timings.startedAt)).toBeGreaterThan(6_000);
  });
});
