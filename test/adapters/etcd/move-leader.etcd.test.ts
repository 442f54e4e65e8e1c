import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { EtcdMember, Member } from '../../../src/ports/etcd.ts';
import { type Cluster, startCluster } from '../../support/etcd.ts';
import { etcdFor, never } from './connect.ts';

interface Roles {
  readonly leader: Member;
  readonly followers: readonly Member[];
}

async function rolesIn(cluster: Cluster): Promise<Roles> {
  const { members } = await etcdFor(cluster).discover(never);
  const voters = members.filter(({ isLearner }) => !isLearner);
  const leaderId = await leaderAsSeenBy(cluster, voters[0]);
  const leader = voters.find(({ id }) => id === leaderId);
  if (leader === undefined) throw new Error('the cluster has no leader');
  return { leader, followers: voters.filter((member) => member !== leader) };
}

async function leaderAsSeenBy(cluster: Cluster, member: Member | undefined): Promise<bigint> {
  await using client = connect(cluster, member);
  return (await client.status(never)).leaderId;
}

function connect(cluster: Cluster, member: Member | undefined): EtcdMember {
  if (member === undefined) throw new Error('the cluster lacks this member');
  return etcdFor(cluster).connect(member);
}

// field: F065
describe.each([
  ['3.5', 'none'],
  ['3.6', 'mtls'],
  ['3.7', 'none'],
] as const)('moving the leader of a cluster of etcd %s, TLS: %s', (version, tls) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ version, members: 3, tls });
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  test('makes the follower named the leader for every member', async () => {
    const { leader, followers } = await rolesIn(cluster);
    const target = followers[1];
    await using client = connect(cluster, leader);
    await client.moveLeader(target?.id ?? 0n, never);
    for (const member of [leader, ...followers]) {
      await vi.waitFor(async () => expect(await leaderAsSeenBy(cluster, member)).toBe(target?.id), 5_000);
    }
  });

  test('is refused by a member that does not lead', async () => {
    const { leader, followers } = await rolesIn(cluster);
    await using client = connect(cluster, followers[0]);
    await expect(client.moveLeader(leader.id, never)).rejects.toMatchObject({
      code: 'etcd-call-failed',
      message: expect.stringContaining('not leader') as unknown,
    });
    expect(await leaderAsSeenBy(cluster, leader)).toBe(leader.id);
  });

  test('is refused towards an id that no member has, and towards none', async () => {
    const { leader } = await rolesIn(cluster);
    await using client = connect(cluster, leader);
    for (const id of [99n, 0n]) {
      await expect(client.moveLeader(id, never)).rejects.toMatchObject({
        code: 'etcd-call-failed',
        message: expect.stringContaining('bad leader transferee') as unknown,
      });
    }
  });

  // field: F058
  test('is refused towards a learner, which refuses to be defragmented as well', async () => {
    const { leader } = await rolesIn(cluster);
    await cluster.join('learner', { learner: true });
    const { members } = await etcdFor(cluster).discover(never);
    const learner = members.find(({ isLearner }) => isLearner);
    await using client = connect(cluster, leader);
    await expect(client.moveLeader(learner?.id ?? 0n, never)).rejects.toMatchObject({ code: 'etcd-call-failed' });
    expect(await client.memberList(never)).toContainEqual({ id: learner?.id, name: 'learner', isLearner: true });
    await using itself = connect(cluster, learner);
    await expect(itself.defragment({ timeoutMs: 5_000 }, never)).rejects.toMatchObject({
      code: 'etcd-call-failed',
      message: expect.stringContaining('learner') as unknown,
    });
  });

  // field: F060
  test('a member that was added and never started has no name', async () => {
    const { leader } = await rolesIn(cluster);
    await using client = connect(cluster, leader);
    await cluster.etcdctl(['member', 'add', 'absent', '--peer-urls=http://127.0.0.1:1']);
    await vi.waitFor(async () => expect(await client.memberList(never)).toHaveLength(5), 5_000);
    expect((await client.memberList(never)).filter(({ name }) => name === '')).toHaveLength(1);
  });
});
