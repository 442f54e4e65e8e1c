import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { type HttpProxy, startHttpProxy } from '../support/http-proxy.ts';
import { type S3Server, startS3Server } from '../support/s3.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { keepNothingElse } from './support/bucket-site.ts';
import { fill } from './support/filled-cluster.ts';
import { awsEnvironment, cloudRepository, makePlaces, type Places } from './support/places.ts';
import { runIntoSlowPipes } from './support/slow-pipe.ts';
import { type EndedWarden, requireStatus, type RunningWarden, startWarden } from './support/warden-process.ts';

/** `npm test` takes a few; `npm run test:signals` as many as the case asks for. */
const repeats = process.env['SIGNALS'] === 'whole' ? 50 : 2;
const timeoutMs = 60_000 + repeats * 15_000;

const fixture = (name: string): string => `--import=${join(import.meta.dirname, `support/${name}.fixture.ts`)}`;

let cluster: Cluster;
let etcdProxy: TcpProxy;
let s3: S3Server;
let s3Proxy: HttpProxy;
let places: Places;
let env: Record<string, string>;

beforeAll(async () => {
  [cluster, s3] = await Promise.all([startCluster(), startS3Server()]);
  await fill(cluster.endpoints[0] ?? '', 12);
  [etcdProxy, s3Proxy] = await Promise.all([startTcpProxy(cluster.endpoints[0] ?? ''), startHttpProxy(s3.endpoint)]);
  env = awsEnvironment(s3.credentials);
});
beforeEach(async () => {
  places = await makePlaces(s3, s3Proxy.url);
});
afterEach(async () => {
  s3Proxy.heal();
  etcdProxy.set({ kind: 'none' });
  await places[Symbol.asyncDispose]();
});
afterAll(async () => {
  await Promise.all([etcdProxy?.[Symbol.asyncDispose](), s3Proxy?.[Symbol.asyncDispose]()]);
  await Promise.all([cluster?.[Symbol.asyncDispose](), s3?.[Symbol.asyncDispose]()]);
});

const configure = (sections: object = {}): Promise<string> =>
  places.configure({
    cluster: { name: 'test', endpoints: [`http://${etcdProxy.address}`], discovery: 'static' },
    log: { format: 'json' },
    ...sections,
  });
const lastLine = (text: string): unknown => JSON.parse(text.trimEnd().split('\n').at(-1) ?? '');

const start = (
  configFile: string,
  args: readonly string[],
  nodeArgs: readonly string[] = [],
  more = {},
): RunningWarden => startWarden(args, { configFile, nodeArgs, env: { ...env, ...more } });
const run = (configFile: string, ...args: string[]): Promise<EndedWarden> =>
  start(configFile, [...args, '--json']).ended;

describe('a command that is run once', () => {
  // field: F153
  test('has nothing open at its end, and ends right after its last upload', async () => {
    const configFile = await configure({ repositories: [cloudRepository(s3Proxy.url, places.bucket)] });
    const tookMs: number[] = [];
    // The fastest of a few, since the machine may be busy with others.
    while (tookMs.length < 5 && !tookMs.some((one) => one < 2_000)) {
      const uploaded = s3Proxy.arrival(({ url }) => url.pathname.endsWith('/manifest.json'));
      const lastUpload = uploaded.then(() => performance.now());
      await using warden = start(configFile, ['backup', '--json'], [fixture('end-of-work')]);
      requireStatus(await warden.ended, 0);
      tookMs.push(performance.now() - (await lastUpload));
    }
    expect(Math.min(...tookMs)).toBeLessThan(2_000);
  });

  // field: F153
  test('says by its status what went wrong', async () => {
    const good = await configure();
    const unreachable = { name: 'test', endpoints: ['http://127.0.0.1:1'] };
    const nowhere = [cloudRepository(s3Proxy.url, 'no-such-bucket')];
    const outcomes = async (configFile: string, ...args: string[]): Promise<readonly unknown[]> => {
      const ended = await run(configFile, ...args);
      const { error } = ended.json() as { error?: { code: string } };
      return [ended.status, error?.code];
    };
    expect(await outcomes(good, 'backup')).toEqual([0, undefined]);
    expect(await outcomes(await configure({ snapshot: { idle: '1s' } }), 'backup')).toEqual([2, 'config-invalid']);
    expect(await outcomes(await configure({ cluster: unreachable }), 'backup')).toEqual([1, 'etcd-unreachable']);
    expect(await outcomes(await configure({ repositories: nowhere }), 'backup')).toEqual([1, 'no-backup-stored']);
    const stored = (await readdir(places.directory, { recursive: true })).find((name) => name.endsWith('.enc')) ?? '';
    const bytes = await readFile(join(places.directory, stored));
    await writeFile(join(places.directory, stored), bytes.fill(0, 1_000_000, 1_000_010));
    expect(await outcomes(good, 'verify', 'latest')).toEqual([3, 'object-damaged']);
  });

  // field: F153
  test('has succeeded where only retention failed, says so, and its own command says it by its status', async () => {
    const repositories = [
      { ...cloudRepository(s3Proxy.url, places.bucket), retention: { ...keepNothingElse, keepLast: 1 } },
    ];
    const schedules = { backup: { cron: '* * * * *' }, prune: { after: 'backup' } };
    const configFile = await configure({ repositories, schedules });
    requireStatus(await run(configFile, 'backup'), 0);
    for (const operation of ['DeleteObject', 'DeleteObjects']) {
      s3Proxy.break(operation, { kind: 'error', status: 403, code: 'AccessDenied' });
    }
    const { stdout, stderr } = requireStatus(await run(configFile, 'backup'), 0);
    expect([stdout, stderr]).toEqual([
      expect.stringContaining('store-access-denied'),
      expect.stringMatching(/"level":"(warn|error)".*"store-access-denied"/),
    ]);
    expect((await run(configFile, 'prune')).status).toBe(1);
  });
});

/** How each way to end is brought about, and what the last line and the status have to say. */
interface Ending {
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
  /** Sent once the stream has begun and stands still. */
  readonly signal?: NodeJS.Signals;
  readonly code: string;
  readonly status: number | null;
  readonly endedBy?: NodeJS.Signals;
}

const endings: readonly Ending[] = [
  { name: 'bad credentials', env: { AWS_SECRET_ACCESS_KEY: 'wrong' }, code: 'no-backup-stored', status: 1 },
  { name: 'SIGTERM', signal: 'SIGTERM', code: 'interrupted', status: null, endedBy: 'SIGTERM' },
  {
    name: 'an uncaught rejection',
    env: { THROWN: 'error', THROWN_BY: 'rejection' },
    nodeArgs: [fixture('thrown-value')],
    signal: 'SIGUSR2',
    code: 'internal',
    status: 1,
  },
  {
    name: 'an uncaught exception',
    env: { THROWN: 'error' },
    nodeArgs: [fixture('thrown-value')],
    signal: 'SIGUSR2',
    code: 'internal',
    status: 1,
  },
];

// field: F168
test.each(endings)(
  'the last line of a log is JSON that gives the reason, each time, however slowly it is read: $name',
  async ({ signal, code, status, endedBy = null, nodeArgs = [], env: more }) => {
    const configFile = await configure({ repositories: [cloudRepository(s3Proxy.url, places.bucket)] });
    for (let repeat = 0; repeat < repeats; repeat++) {
      if (signal !== undefined) etcdProxy.set({ kind: 'stall', afterBytes: 1_500_000 });
      const beforeBytes = etcdProxy.downstreamBytes();
      const streamedBytes = (): number => etcdProxy.downstreamBytes() - beforeBytes;
      const ended = await runIntoSlowPipes(
        ['backup', '--json'],
        { configFile, env: { ...env, ...more }, nodeArgs },
        async (send) => {
          if (signal === undefined) return;
          await expect.poll(streamedBytes, { timeout: 60_000 }).toBeGreaterThan(1_000_000);
          send(signal);
        },
      );
      const text = expect.stringMatching(/\S/) as string;
      expect(lastLine(ended.stderr)).toMatchObject({ code, msg: text });
      expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code, message: text } });
      expect([ended.status, ended.signal]).toEqual([status, endedBy]);
      expect((await places.contents()).filter((name) => name.startsWith('upload'))).toEqual([]);
    }
  },
  timeoutMs,
);

// field: F168
test('the last line gives the reason also where not everything could be cleared away, which is told once', async () => {
  const repositories = [cloudRepository(s3Proxy.url, places.bucket, { partSize: '5MiB', concurrency: 1 })];
  const configFile = await configure({ repositories });
  s3Proxy.break('UploadPart', { kind: 'swallow' });
  s3Proxy.break('AbortMultipartUpload', { kind: 'error', status: 403, code: 'AccessDenied' });
  const uploading = s3Proxy.arrival('UploadPart');
  const triedBefore = s3Proxy.count('AbortMultipartUpload');
  await using warden = start(configFile, ['backup', '--json']);
  await Promise.race([uploading, warden.ended]);
  // Until the store holds up the stream, and with it a write.
  let streamed = -1;
  await expect
    .poll(() => streamed === (streamed = etcdProxy.downstreamBytes()), { interval: 300, timeout: 60_000 })
    .toBe(true);
  warden.signal('SIGTERM');
  const { stderr } = requireStatus(await warden.ended, 143);
  expect(lastLine(stderr)).toMatchObject({ code: 'interrupted' });
  expect(stderr.match(/could not clean up after an upload/g)).toHaveLength(1);
  // A second try that nobody waits for would be told behind the last line.
  expect(s3Proxy.count('AbortMultipartUpload') - triedBefore).toBe(1);
});

// field: F168
test('a bad configuration is told whole, however slowly it is read', async () => {
  const configFile = await configure({ snapshot: { idle: '1s' }, repositories: [{ name: 'none' }] });
  for (const args of [['backup'], ['backup', '--json']]) {
    const { status: ended, stdout, stderr } = await runIntoSlowPipes(args, { configFile, env });
    expect(ended).toBe(2);
    const told = args.includes('--json')
      ? (JSON.parse(stdout) as { error: { message: string } }).error.message
      : stderr;
    expect(told).toMatch(/repositories\[0\]\.store is missing.*\n.*snapshot\.idle is not a known key/);
    if (!args.includes('--json')) expect(stderr.trimEnd()).toMatch(/\[config-invalid\]$/);
  }
});

// field: F168
test.each(['command', 'result'])(
  'a defect is told and is no success, also where no command can answer for it: %s',
  async (where) => {
    const configFile = await configure();
    await using warden = start(configFile, ['config', 'schema'], [fixture('late-defect')], { DEFECT: where });
    const { status, stderr } = requireStatus(await warden.ended, 1);
    expect([status, lastLine(stderr)]).toMatchObject([
      1,
      { code: 'internal', msg: 'made by a test', causes: ['the true reason'] },
    ]);
  },
);
