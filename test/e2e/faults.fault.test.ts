import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/manifest/schema.ts';
import { type Cluster, type ClusterMember, startCluster } from '../support/etcd.ts';
import { type S3Server, startS3Server } from '../support/s3.ts';
import type { Fault } from '../support/tcp-proxy.ts';
import { fewestReadTransactions, fill } from './support/filled-cluster.ts';
import { awsEnvironment, makePlaces, type Places } from './support/places.ts';
import { proxyMembers, type ProxiedCluster } from './support/proxied-cluster.ts';
import { startWarden } from './support/warden-process.ts';
import { runWarden } from './support/warden.ts';

const idleTimeoutMs = 2_000;
const snapshot = { idleTimeout: `${idleTimeoutMs / 1000}s` };

interface BackupDocument {
  readonly manifest: Manifest;
  readonly skippedMembers: readonly { readonly name: string; readonly reason: string }[];
}

interface FailureDocument {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string };
}

let cluster: Cluster;
let proxied: ProxiedCluster;
let s3: S3Server;
let places: Places;
let configFile: string;
let env: Record<string, string>;
/** The member that is asked first, and the one after it. */
let first: ClusterMember;
let second: string;

beforeAll(async () => {
  [cluster, s3] = await Promise.all([startCluster({ members: 3 }), startS3Server()]);
  env = awsEnvironment(s3.credentials);
  await fill(cluster.endpoints[0] ?? '', 30);
  proxied = await proxyMembers(cluster);
  places = await makePlaces(s3);
  configFile = await places.configure({ cluster: proxied.section, snapshot });
  const plan = await runWarden(['backup', '--dry-run', '--json'], { configFile, env });
  const { candidates } = plan.json<{ candidates: { name: string }[] }>();
  const asked = cluster.members.find(({ name }) => name === candidates[0]?.name);
  if (asked === undefined) throw new Error(`nobody would be asked: ${plan.stdout}`);
  first = asked;
  second = candidates[1]?.name ?? '';
});
afterEach(async () => {
  proxied.setAll({ kind: 'none' });
  await places[Symbol.asyncDispose]();
  places = await makePlaces(s3);
  configFile = await places.configure({ cluster: proxied.section, snapshot });
});
afterAll(async () => {
  await places?.[Symbol.asyncDispose]();
  await proxied?.[Symbol.asyncDispose]();
  await Promise.all([cluster?.[Symbol.asyncDispose](), s3?.[Symbol.asyncDispose]()]);
});

/** A run that was served by the second member after the first had failed, and left whole backups and nothing else. */
async function expectServedBySecond({ stdout, stderr, status }: { stdout: string; stderr: string; status: number | undefined }): Promise<void> {
  expect(status, stderr).toBe(0);
  const { manifest, skippedMembers } = JSON.parse(stdout) as BackupDocument;
  expect(manifest.member.name).toBe(second);
  expect(skippedMembers.map(({ name }) => name)).toEqual([first.name]);
  expect(await places.contents()).toEqual(
    expect.arrayContaining([expect.stringMatching(/^object .*manifest\.json$/), expect.stringMatching(/^file .*manifest\.json$/)]),
  );
  expect((await places.contents()).filter((name) => /^upload|\.part-/.test(name))).toEqual([]);
}

const inMidStream: readonly (readonly [string, Fault])[] = [
  // field: F003
  ['is cut', { kind: 'cut', afterBytes: 12_000_000 }],
  // field: F006
  ['stalls', { kind: 'stall', afterBytes: 12_000_000 }],
  ['arrives with one bit flipped', { kind: 'flip', atByte: 12_345_678 }],
];

describe('in a cluster of three', () => {
  test.each(inMidStream)('another member serves when a stream %s', async (_, fault) => {
    proxied.proxyOf(first.name).set(fault);
    await expectServedBySecond(await runWarden(['backup', '--json'], { configFile, env }));
  });

  // field: F006
  test('another member serves when the first one is stopped in mid-stream', async () => {
    const proxy = proxied.proxyOf(first.name);
    proxy.set({ kind: 'throttle', bytesPerSecond: 4_000_000 });
    await using warden = startWarden(['backup', '--json'], { configFile, env });
    await expect.poll(() => proxy.downstreamBytes() % 1e9, { timeout: 30_000 }).toBeGreaterThan(2_000_000);
    first.process.signal('SIGSTOP');
    try {
      await expectServedBySecond(await warden.ended);
    } finally {
      first.process.signal('SIGCONT');
    }
  });

  // field: F160
  test('another member serves when the first one is killed in mid-stream', async () => {
    const proxy = proxied.proxyOf(first.name);
    const sentBefore = proxy.downstreamBytes();
    proxy.set({ kind: 'throttle', bytesPerSecond: 4_000_000 });
    await using warden = startWarden(['backup', '--json'], { configFile, env });
    await expect.poll(() => proxy.downstreamBytes() - sentBefore, { timeout: 30_000 }).toBeGreaterThan(2_000_000);
    first.process.signal('SIGKILL');
    try {
      await expectServedBySecond(await warden.ended);
    } finally {
      await first.restart();
    }
  });

  test.each(inMidStream)('nothing is stored and no transaction stays open when every stream %s', async (_, fault) => {
    const before = await Promise.all(cluster.members.map((member) => fewestReadTransactions(cluster, member)));
    proxied.setAll(fault);
    const run = await runWarden(['backup', '--json'], { configFile, env });
    const endedMs = performance.now();
    expect([1, 3]).toContain(run.status);
    expect(['stream-interrupted', 'stream-stalled', 'trailer-mismatch']).toContain(run.json<FailureDocument>().error.code);
    expect(await places.contents()).toEqual([]);
    for (const [index, member] of cluster.members.entries()) {
      const readers = (): Promise<number> => fewestReadTransactions(cluster, member);
      await expect.poll(readers, { timeout: 2_000 }).toBeLessThanOrEqual(before[index] ?? 0);
    }
    expect(performance.now() - endedMs).toBeLessThan(6_000);
  });

  // field: F003
  test('the run after an interrupted one succeeds', async () => {
    proxied.setAll({ kind: 'cut', afterBytes: 12_000_000 });
    expect((await runWarden(['backup'], { configFile, env })).status).toBe(1);
    proxied.setAll({ kind: 'none' });
    expect((await runWarden(['backup'], { configFile, env })).status).toBe(0);
  });
});

