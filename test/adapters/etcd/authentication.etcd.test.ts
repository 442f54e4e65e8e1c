import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collect } from '../../support/byte-streams.ts';
import { type Cluster, startCluster } from '../../support/etcd.ts';
import { etcdFor, never } from './connect.ts';
import type { EtcdMember } from '../../../src/ports/etcd.ts';

const root = { user: 'root', password: 'rootpw' };

/** A client that logs in as `username`; without one it does not log in. */
async function memberAs(cluster: Cluster, username?: string, password = 'rootpw'): Promise<EtcdMember> {
  const auth = username === undefined ? undefined : { username, readPassword: () => Promise.resolve(password) };
  const [member] = (
    await etcdFor(cluster, { discovery: 'static' })
      .discover(never)
      .catch(() => ({ members: [] }))
  ).members;
  const endpoint = cluster.endpoints[0];
  return etcdFor(cluster, { auth }).connect(member ?? { id: 0n, name: 'm1', isLearner: false, endpoint });
}

async function snapshotLength(member: EtcdMember): Promise<number> {
  await using stream = await member.openSnapshot({ idleTimeoutMs: 5_000 }, never);
  return (await collect(stream)).length;
}

// field: F052
describe.each(['3.5', '3.6', '3.7'] as const)('with authentication on in etcd %s', (version) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ version, auth: root });
    await cluster.etcdctl(['user', 'add', 'reader:readerpw']);
    await cluster.etcdctl(['role', 'add', 'reads-all']);
    await cluster.etcdctl(['role', 'grant-permission', 'reads-all', '--prefix=true', 'read', '']);
    await cluster.etcdctl(['user', 'grant-role', 'reader', 'reads-all']);
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  test('a user with the root role may do everything, streaming included', async () => {
    await using member = await memberAs(cluster, 'root');
    expect(await member.readRevision(never)).toBeGreaterThan(0n);
    expect(await member.alarms(never)).toEqual([]);
    expect((await member.hashKv(0n, never)).hash).toBeGreaterThan(0);
    expect(await snapshotLength(member)).toBeGreaterThan(32);
  });

  test('any other user is told which role the snapshot needs', async () => {
    await using member = await memberAs(cluster, 'reader', 'readerpw');
    await expect(snapshotLength(member)).rejects.toMatchObject({
      code: 'etcd-permission-denied',
      message: expect.stringMatching(/root role/) as unknown,
    });
    await expect(member.hashKv(0n, never)).rejects.toMatchObject({ code: 'etcd-permission-denied' });
  });

  test('a wrong password is a failed login, and is not shown', async () => {
    await using member = await memberAs(cluster, 'root', 'hunter2');
    const error: unknown = await member.status(never).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'etcd-auth-failed' });
    expect(JSON.stringify([String(error), error])).not.toContain('hunter2');
  });

  test('without credentials the calls that need some ask for them', async () => {
    await using member = await memberAs(cluster);
    const calls = [member.readRevision(never), snapshotLength(member), member.hashKv(0n, never)];
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'etcd-auth-required' } });
    }
  });
});

// field: F053
test('logs in again once the token has expired, for streams as well', async () => {
  await using cluster = await startCluster({ auth: root, args: ['--auth-token-ttl=1'] });
  await using member = await memberAs(cluster, 'root');
  let lengths: number[] = [];
  for (let round = 0; round < 2; round += 1) {
    lengths = [...lengths, await snapshotLength(member)];
    // Tokens live for a second and are swept every second; there is no event to wait for.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
  }
  expect(await member.readRevision(never)).toBeGreaterThan(0n);
  expect(lengths).toHaveLength(2);
});

// field: F053
test('logs in again after etcd restarted and forgot its tokens', async () => {
  await using cluster = await startCluster({ auth: root });
  await using member = await memberAs(cluster, 'root');
  await member.readRevision(never);
  await cluster.members[0]?.restart();
  expect(await snapshotLength(member)).toBeGreaterThan(32);
  await cluster.members[0]?.restart();
  expect(await member.readRevision(never)).toBeGreaterThan(0n);
});

test('goes on when users and roles change, and when authentication is turned on or off', async () => {
  await using cluster = await startCluster({});
  await using member = await memberAs(cluster, 'root');
  expect(await member.readRevision(never)).toBeGreaterThan(0n);
  await cluster.etcdctl(['user', 'add', 'root:rootpw']);
  await cluster.etcdctl(['user', 'grant-role', 'root', 'root']);
  await cluster.etcdctl(['auth', 'enable']);
  expect(await member.readRevision(never)).toBeGreaterThan(0n);
  await cluster.etcdctl(['--user=root:rootpw', 'role', 'add', 'another']);
  expect(await member.readRevision(never)).toBeGreaterThan(0n);
  await cluster.etcdctl(['--user=root:rootpw', 'auth', 'disable']);
  expect(await snapshotLength(member)).toBeGreaterThan(32);
});
