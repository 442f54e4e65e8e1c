import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Channel } from '../../../src/adapters/etcd/channel.ts';
import { Maintenance } from '../../../src/adapters/etcd/generated/etcd_pb.ts';
import type { EtcdMember } from '../../../src/ports/etcd.ts';
import type { Cluster, ClusterMember } from '../../support/etcd.ts';
import { memberAt, never } from './connect.ts';
import {
  defragmentations,
  defragmentCalls,
  emptyOut,
  holdSnapshot,
  isDefragmenting,
  startFilledCluster,
} from './filled-cluster.ts';

const patient = { timeoutMs: 60_000 };

function firstOf(cluster: Cluster): ClusterMember {
  const [first] = cluster.members;
  if (first === undefined) throw new Error('a cluster without members');
  return first;
}

describe.each(['3.5', '3.6', '3.7'] as const)('defragmenting a member of etcd %s', (version) => {
  let cluster: Cluster;
  let server: ClusterMember;
  let member: EtcdMember;
  beforeAll(async () => {
    cluster = await startFilledCluster({ version });
    server = firstOf(cluster);
    member = memberAt(server.endpoint);
  });
  afterAll(async () => {
    await member[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  /** Ends our waiting in the middle of the work and tells how much of it there was in the end. */
  async function giveUpInTheMiddle(
    wait: (member: EtcdMember) => Promise<void>,
    code: string,
  ): Promise<{ readonly calls: number; readonly done: number }> {
    const [calls, done] = [await defragmentCalls(server), await defragmentations(server)];
    await using other = memberAt(server.endpoint);
    const stream = await holdSnapshot(member);
    await expect(wait(other)).rejects.toMatchObject({ code });
    expect(await isDefragmenting(server)).toBe(true);
    await stream[Symbol.asyncDispose]();
    await vi.waitFor(async () => expect(await isDefragmenting(server)).toBe(false), 20_000);
    await other.status(never);
    return { calls: (await defragmentCalls(server)) - calls, done: (await defragmentations(server)) - done };
  }

  // field: F067
  test('goes on to its end after our deadline', async () => {
    const late = (other: EtcdMember): Promise<void> => other.defragment({ timeoutMs: 1_000 }, never);
    expect(await giveUpInTheMiddle(late, 'etcd-deadline')).toEqual({ calls: 1, done: 1 });
  });

  // field: F067
  test('goes on to its end after we were told to stop', async () => {
    const stop = new AbortController();
    const stopped = async (other: EtcdMember): Promise<void> => {
      const waiting = other.defragment(patient, stop.signal);
      waiting.catch(() => undefined);
      await vi.waitFor(async () => expect(await isDefragmenting(server)).toBe(true), 10_000);
      stop.abort();
      await waiting;
    };
    expect(await giveUpInTheMiddle(stopped, 'interrupted')).toEqual({ calls: 1, done: 1 });
  });

  // field: F067
  test('is not asked for again while it goes on: the member does not say who it is', async () => {
    const calls = await defragmentCalls(server);
    const stream = await holdSnapshot(member);
    await using other = memberAt(server.endpoint);
    const first = other.defragment(patient, never);
    await vi.waitFor(async () => expect(await isDefragmenting(server)).toBe(true), 10_000);
    await using another = memberAt(server.endpoint);
    await expect(another.defragment({ timeoutMs: 500 }, never)).rejects.toMatchObject({
      code: 'etcd-deadline',
      details: { sent: false },
    });
    // What lies in memory is told all the while.
    expect(await another.memberList(never)).toHaveLength(1);
    await stream[Symbol.asyncDispose]();
    await first;
    expect(await defragmentCalls(server)).toBe(calls + 1);
  });

  test('gives free pages back and keeps what is stored', async () => {
    await emptyOut(cluster, member);
    await cluster.etcdctl(['put', 'kept', 'as it was']);
    const revision = await member.readRevision(never);
    const [before, hash] = [await member.status(never), await member.hashKv(revision, never)];
    expect(before.dbSizeBytes - before.dbSizeInUseBytes).toBeGreaterThan(30_000_000);
    await member.defragment(patient, never);
    const after = await member.status(never);
    expect(after.dbSizeBytes).toBeLessThan(5_000_000);
    expect(after).toMatchObject({ memberId: before.memberId, revision });
    expect(await member.hashKv(revision, never)).toEqual(hash);
    expect(await cluster.etcdctl(['get', 'kept'])).toContain('as it was');
  });
});

describe('a member that', () => {
  test('works for long is waited for, since it answers pings', async () => {
    await using cluster = await startFilledCluster({});
    const server = firstOf(cluster);
    await using member = memberAt(server.endpoint);
    await using stream = await holdSnapshot(member);
    await using other = memberAt(server.endpoint);
    const outcome = other.defragment(patient, never);
    // Two pings and the time for their answers; a third would come after 21 s.
    const early = await Promise.race([
      outcome.then(
        () => 'done',
        (error: unknown) => error,
      ),
      new Promise((resolve) => setTimeout(() => resolve('waiting'), 15_000)),
    ]);
    expect(early).toBe('waiting');
    await stream[Symbol.asyncDispose]();
    await outcome;
    expect(await defragmentations(server)).toBe(1);
  });

  test('is killed in the middle is unreachable, and holds what it held', async () => {
    await using cluster = await startFilledCluster({});
    const server = firstOf(cluster);
    await using member = memberAt(server.endpoint);
    const revision = await member.readRevision(never);
    const hash = await member.hashKv(revision, never);
    await using other = memberAt(server.endpoint);
    await using _stream = await holdSnapshot(other);
    const outcome = member.defragment(patient, never);
    outcome.catch(() => undefined);
    await vi.waitFor(async () => expect(await isDefragmenting(server)).toBe(true), 10_000);
    server.process.signal('SIGKILL');
    await expect(outcome).rejects.toMatchObject({ code: 'etcd-unreachable' });
    await server.restart();
    expect(await member.hashKv(revision, never)).toEqual(hash);
  });

  // field: F053
  test.each(['3.5', '3.6', '3.7'] as const)('no longer takes our token defragments once (etcd %s)', async (version) => {
    const password = 'rootpw';
    await using cluster = await startFilledClusterWithAuth(version, password);
    const server = firstOf(cluster);
    const auth = { username: 'root', readPassword: () => Promise.resolve(password) };
    await using member = memberAt(server.endpoint, { auth });
    await emptyOut(cluster, member);
    const before = await member.status(never);
    // Tokens live for a second and are swept every second; there is no event to wait for.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await member.defragment(patient, never);
    expect(await defragmentations(server)).toBe(1);
    expect((await member.status(never)).dbSizeBytes).toBeLessThan(before.dbSizeBytes);
    // Should the call itself meet the old token, it is refused before any work is begun.
    await using channel = new Channel(server.endpoint, undefined);
    const options = { ...patient, metadata: { token: 'stale.1' } };
    await expect(channel.unary(Maintenance.method.defragment, {}, options, never)).rejects.toMatchObject({
      code: 'etcd-auth-failed',
    });
    expect(await defragmentations(server)).toBe(1);
  });
});

/** Filled before authentication is turned on. */
async function startFilledClusterWithAuth(version: '3.5' | '3.6' | '3.7', password: string): Promise<Cluster> {
  const cluster = await startFilledCluster({ version, args: ['--auth-token-ttl=1'] });
  await cluster.etcdctl(['user', 'add', `root:${password}`]);
  await cluster.etcdctl(['user', 'grant-role', 'root', 'root']);
  await cluster.etcdctl(['auth', 'enable']);
  const asRoot = (args: readonly string[]): Promise<string> => cluster.etcdctl([`--user=root:${password}`, ...args]);
  return { ...cluster, etcdctl: asRoot };
}
