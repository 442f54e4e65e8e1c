import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Cluster, type ClusterMember, startCluster } from '../support/etcd.ts';
import { type HttpProxy, startHttpProxy } from '../support/http-proxy.ts';
import { type S3Server, startS3Server } from '../support/s3.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { fill, filledPrefix, mostReadTransactions, readTransactionsAfter } from './support/filled-cluster.ts';
import { awsEnvironment, cloudRepository, localRepository, makePlaces, type Places } from './support/places.ts';
import { type EndedWarden, requireStatus, type RunningWarden, startWarden } from './support/warden-process.ts';

const signals = [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const;

let cluster: Cluster;
let member: ClusterMember;
let etcdProxy: TcpProxy;
let s3: S3Server;
let s3Proxy: HttpProxy;
let places: Places;
let configFile: string;
let env: Record<string, string>;
let spool: string;

beforeAll(async () => {
  [cluster, s3] = await Promise.all([startCluster(), startS3Server()]);
  const [only] = cluster.members;
  if (only === undefined) throw new Error('a cluster without members');
  member = only;
  await fill(member.endpoint, 40);
  env = awsEnvironment(s3.credentials);
});
beforeEach(async () => {
  etcdProxy = await startTcpProxy(member.endpoint);
  s3Proxy = await startHttpProxy(s3.endpoint);
  places = await makePlaces(s3, s3Proxy.url);
  spool = join(places.folder, 'spool');
  await mkdir(spool);
  configFile = await places.configure({
    cluster: { name: 'test', endpoints: [`http://${etcdProxy.address}`], discovery: 'static' },
    snapshot: { idleTimeout: '20s', spool: { directory: spool, maxSize: '16MiB' } },
    repositories: [cloudRepository(s3Proxy.url, places.bucket, { concurrency: 1 }), localRepository(places.directory)],
  });
});
afterEach(async () => {
  await places[Symbol.asyncDispose]();
  await s3Proxy[Symbol.asyncDispose]();
  await etcdProxy[Symbol.asyncDispose]();
});
afterAll(async () => {
  await Promise.all([cluster?.[Symbol.asyncDispose](), s3?.[Symbol.asyncDispose]()]);
});

/** A backup that has streamed for a while and will go on for long. */
async function startMidStream(): Promise<RunningWarden> {
  etcdProxy.set({ kind: 'throttle', bytesPerSecond: 4_000_000 });
  const warden = startWarden(['backup', '--json'], { configFile, env });
  await expect.poll(() => etcdProxy.downstreamBytes(), { timeout: 30_000 }).toBeGreaterThan(3_000_000);
  return warden;
}

/** A backup whose first part is on its way to S3 and stays there. */
async function startMidUpload(): Promise<RunningWarden> {
  s3Proxy.break('UploadPart', { kind: 'swallow' });
  const uploading = s3Proxy.arrival('UploadPart');
  const warden = startWarden(['backup', '--json'], { configFile, env });
  await Promise.race([uploading, warden.ended.then(unexpectedEnd)]);
  return warden;
}

describe.each([
  // field: F154
  ['in mid-stream', startMidStream],
  ['in mid-upload', startMidUpload],
] as const)('a backup %s', (_, start) => {
  test.each(signals)('ends cleanly at %s with status %i, in time', async (name, status) => {
    const before = await mostReadTransactions(cluster, member);
    await using warden = await start();
    warden.signal(name);
    const signalledMs = performance.now();
    const ended = await warden.ended;
    expect(performance.now() - signalledMs).toBeLessThan(10_000);
    requireStatus(ended, status);
    expect(ended.json()).toMatchObject({ error: { code: 'interrupted', message: `ended by ${name}` } });
    expect(await places.contents()).toEqual([]);
    expect(await readdir(spool)).toEqual([]);
    expect(await readTransactionsAfter(cluster, member, before)).toBeLessThanOrEqual(before);
  });
});

test.each(signals)('a second %s ends the run at once, whatever it waits for', async (name, status) => {
  await using warden = await startMidUpload();
  s3Proxy.break('AbortMultipartUpload', { kind: 'swallow' });
  const aborting = s3Proxy.arrival('AbortMultipartUpload');
  warden.signal(name);
  await aborting;
  warden.signal(name);
  const signalledMs = performance.now();
  expect((await warden.ended).status).toBe(status);
  expect(performance.now() - signalledMs).toBeLessThan(1_000);
});

describe('a backup that is killed', () => {
  const run = (...args: string[]): Promise<EndedWarden> => startWarden([...args, '--json'], { configFile, env }).ended;

  // field: F010
  test('is no backup, left no plaintext, and its unfinished file is refused by name', async () => {
    await using warden = await startMidUpload();
    const unfinished = async (): Promise<string[]> =>
      (await places.contents())
        .filter((name) => /^file .*\.part-/.test(name))
        .map((name) => name.slice('file '.length));
    await expect.poll(unfinished).toHaveLength(1);
    warden.signal('SIGKILL');
    expect(await warden.ended).toMatchObject({ signal: 'SIGKILL' });

    const listed = (await run('list')).json() as { repositories: { backups: { state: string }[] }[] };
    const states = listed.repositories.flatMap(({ backups }) => backups.map(({ state }) => state));
    expect(states.filter((state) => state !== 'incomplete')).toEqual([]);

    for (const folder of [places.directory, spool]) expect(await filesWith(filledPrefix, folder)).toEqual([]);

    const [part = ''] = await unfinished();
    const target = join(places.folder, 'restored.db');
    const restored = await run('restore', join(places.directory, part), '--to', target);
    expect(restored.json()).toMatchObject({
      error: { code: 'not-a-snapshot', message: expect.stringContaining('unfinished') as string },
    });
    expect(restored.status).toBe(3);
    expect((await readdir(places.folder)).filter((name) => name.includes('restored'))).toEqual([]);

    s3Proxy.heal();
    expect(await run('backup')).toMatchObject({ status: 0 });
    expect(await run('verify', 'latest')).toMatchObject({ status: 0 });
  });
});

const unexpectedEnd = ({ status, stdout, stderr }: EndedWarden): never => {
  throw new Error(`ended too early, with status ${status}:\n${stdout}\n${stderr}`);
};

/** Files below a folder that hold a text, by name. */
async function filesWith(text: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await readFile(path)).includes(text)) found.push(path);
  }
  return found;
}
