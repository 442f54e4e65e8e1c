import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cluster } from '../support/etcd.ts';
import { errorDocument, type HttpProxy, type SeenRequest, startHttpProxy } from '../support/http-proxy.ts';
import { head } from '../support/s3-answers.ts';
import { type S3Server, startS3Server } from '../support/s3.ts';
import {
  type BucketSite,
  keepNothingElse,
  lineageOf,
  makeBucketSite,
  startGrownCluster,
} from './support/bucket-site.ts';
import { fill } from './support/filled-cluster.ts';
import { cloudRepository, localRepository } from './support/places.ts';
import { series, storeSeries } from './support/stored-series.ts';
import { type EndedWarden, requireStatus } from './support/warden-process.ts';

let s3: S3Server;
let proxy: HttpProxy;
let etcd: Cluster;

beforeAll(async () => {
  s3 = await startS3Server();
  etcd = await startGrownCluster();
});
beforeEach(async () => {
  proxy = await startHttpProxy(s3.endpoint);
});
afterEach(() => proxy[Symbol.asyncDispose]());
afterAll(async () => {
  await Promise.all([s3?.[Symbol.asyncDispose](), etcd?.[Symbol.asyncDispose]()]);
});

const etcdSection = (): object => ({ name: 'prod', endpoints: etcd.endpoints });

describe('a bucket with object lock', () => {
  const objectLock = { mode: 'governance', retain: '1d' };

  // field: F140
  test.each(['when-supported', 'when-required'])(
    'whose store wants a checksum with everything gets one, checksums %s',
    async (checksums) => {
      await using site = await makeBucketSite(s3, { endpoint: proxy.url, objectLock: true });
      // More than one part, in random bytes.
      await fill(etcd.endpoints[0] ?? '', 12);
      const isBare = (seen: SeenRequest): boolean =>
        /^(PutObject|UploadPart|DeleteObjects)$/.test(seen.operation) && !hasChecksum(seen);
      proxy.break(isBare, { kind: 'answer', status: 400, body: errorDocument('InvalidRequest') });
      const configFile = await site.configure({
        store: { checksums, objectLock, partSize: '5MiB' },
        sections: { cluster: etcdSection() },
      });
      const commands = [['backup'], ['backup'], ['verify', '--all'], ['hold', 'latest', '--reason', 'audit']];
      for (const args of [...commands, ['release', 'latest'], ['prune']]) {
        requireStatus(await site.run(configFile, args), 0);
      }
      expect(proxy.count(isBare)).toBe(0);
      expect(proxy.count('DeleteObjects')).toBeGreaterThan(0);
      expect(proxy.count('UploadPart')).toBeGreaterThanOrEqual(2 * 2);
      // Two manifests, two times evidence, and a hold.
      expect(proxy.count('PutObject')).toBe(5);
    },
  );

  // field: F142
  test('is no reason for a backup to fail: what is locked stays and is told, the rest goes', async () => {
    await using site = await makeBucketSite(s3, { objectLock: true });
    const lineage = await lineageOf(etcd);
    const places = series('prod', lineage, { count: 4, everyMs: 60_000, newest: new Date(Date.now() - 60_000) });
    await storeSeries(site.open({ objectLock: { mode: 'compliance', retainMs: 3_600_000 } }), places.slice(0, 2));
    await storeSeries(site.open(), places.slice(2));
    const configFile = await site.configure({
      retention: { ...keepNothingElse, keepLast: 1 },
      sections: { cluster: etcdSection() },
    });
    const ended = requireStatus(await site.run(configFile, ['backup']), 0);
    const { backup, retention } = ended.json() as {
      readonly backup: string;
      readonly retention: { readonly repositories: readonly [{ readonly backups: readonly object[] }] };
    };
    const [{ backups, ...repository }] = retention.repositories;
    expect(repository).not.toHaveProperty('error');
    const lockedUntil = expect.stringMatching(/^20\d\d-.*Z$/) as string;
    const [first, second, third, fourth] = places.map(({ id }) => id.text);
    expect(backups).toMatchObject([
      { id: backup, action: 'keep' },
      { id: fourth, outcome: 'removed' },
      { id: third, outcome: 'removed' },
      { id: second, outcome: 'locked', lockedUntil },
      { id: first, outcome: 'locked', lockedUntil },
    ]);
    expect(ended.stderr).not.toContain('"level":"warn"');
    expect(await s3.objectNames(site.bucket)).toHaveLength(3 * 2);
  });
});

describe('a backup that a lifecycle rule moved to an archive', () => {
  let site: BucketSite;
  let configFile: string;
  let id: string;

  beforeEach(async () => {
    site = await makeBucketSite(s3, { endpoint: proxy.url });
    const directory = join(site.folder, 'repository');
    await mkdir(directory);
    const repositories = [cloudRepository(proxy.url, site.bucket), localRepository(directory)];
    configFile = await site.configure({ sections: { cluster: etcdSection(), repositories } });
    id = (requireStatus(await site.run(configFile, ['backup']), 0).json() as { readonly backup: string }).backup;
    // The manifest is too small for such rules.
    proxy.break(isAbout('GetObject'), { kind: 'answer', status: 403, body: archived });
    proxy.break(isAbout('HeadObject'), head({ 'x-amz-storage-class': 'GLACIER' }));
    proxy.break('ListObjectsV2', {
      kind: 'rewrite',
      body: (listing) => listing.replaceAll('>STANDARD<', '>GLACIER<'),
    });
  });
  afterEach(() => site[Symbol.asyncDispose]());

  const run = (...args: string[]): Promise<EndedWarden> => site.run(configFile, args);

  // field: F144
  test('is listed with its class', async () => {
    expect(requireStatus(await run('list'), 0).json()).toMatchObject({
      repositories: [
        { name: 'cloud', backups: [{ id, storageClass: 'GLACIER', state: 'complete' }] },
        { name: 'local', backups: [{ id, storageClass: null, state: 'complete' }] },
      ],
    });
  });

  // field: F144
  test('is tried once, and said to lie there and how to get it out, where no other repository has it', async () => {
    const target = join(site.folder, 'restored.db');
    const ended = requireStatus(await run('restore', 'latest', '--repository', 'cloud', '--to', target), 1);
    expect(ended.json()).toMatchObject({
      error: {
        code: 'store-object-archived',
        message: expect.stringContaining('GLACIER') as string,
        hint: expect.stringContaining(`aws s3api restore-object --bucket ${site.bucket} --key 'prod/`) as string,
      },
    });
    expect(proxy.count(isAbout('GetObject'))).toBe(1);
    await expect(access(target)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  // field: F144
  test('is served by the next repository, and the log says why', async () => {
    const target = join(site.folder, 'restored.db');
    const ended = requireStatus(await run('restore', 'latest', '--to', target), 0);
    expect(ended.json()).toMatchObject({ backup: id, repository: 'local' });
    expect(ended.stderr).toMatch(/"level":"warn"[^\n]*store-object-archived/);
    await access(target);
  });

  // field: F144
  test('is not taken for damaged because it cannot be read, and stays the latest', async () => {
    const ended = requireStatus(await run('verify', 'latest'), 5);
    expect(ended.json()).toMatchObject({
      backups: [
        { repository: 'cloud', id, result: 'failed', code: 'store-object-archived', recorded: false },
        { repository: 'local', id, result: 'verified' },
      ],
    });
    const listed = requireStatus(await run('list', '--check'), 0).json();
    expect(listed).toMatchObject({ repositories: [{ backups: [{ id, state: 'complete', damagedAt: null }] }, {}] });
  });
});

const archived =
  "<Error><Code>InvalidObjectState</Code><Message>The operation is not valid for the object's storage class</Message>" +
  '<StorageClass>GLACIER</StorageClass></Error>';

/** Whether a request is this one about a snapshot. */
const isAbout = (operation: string) => (seen: SeenRequest) =>
  seen.operation === operation && /\/snapshot\.db[^/]*$/.test(seen.url.pathname);

const hasChecksum = ({ headers }: SeenRequest): boolean =>
  Object.keys(headers).some((name) => name === 'content-md5' || name.startsWith('x-amz-checksum-'));
