import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Channel } from '../../../src/adapters/etcd/channel.ts';
import { AlarmRequest_AlarmAction, AlarmType, Maintenance } from '../../../src/adapters/etcd/generated/etcd_pb.ts';
import type { EtcdMember } from '../../../src/ports/etcd.ts';
import { type Cluster, startCluster } from '../../support/etcd.ts';
import { etcdFor, memberAt, never } from './connect.ts';
import { emptyOut, fill } from './filled-cluster.ts';

// field: F078
describe.each(['3.5', '3.6', '3.7'] as const)('disarming an alarm of etcd %s', (version) => {
  let cluster: Cluster;
  let member: EtcdMember;
  let ids: readonly bigint[];
  beforeAll(async () => {
    cluster = await startCluster({ version, members: 3 });
    const etcd = etcdFor(cluster);
    const { members } = await etcd.discover(never);
    ids = members.map(({ id }) => id);
    const [first] = members;
    if (first === undefined) throw new Error('a cluster without members');
    member = etcd.connect(first);
  });
  afterAll(async () => {
    await member[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  async function raise(memberID: bigint, alarm: AlarmType): Promise<void> {
    await using channel = new Channel(cluster.endpoints[0] ?? '', undefined);
    const request = { action: AlarmRequest_AlarmAction.ACTIVATE, memberID, alarm };
    await channel.unary(Maintenance.method.alarm, request, { timeoutMs: 10_000, metadata: {} }, never);
  }

  test('lifts that of one member and leaves every other, CORRUPT above all', async () => {
    const [one = 0n, two = 0n, three = 0n] = ids;
    await raise(one, AlarmType.NOSPACE);
    await raise(two, AlarmType.NOSPACE);
    await raise(one, AlarmType.CORRUPT);
    await raise(three, AlarmType.CORRUPT);
    expect(await member.alarms(never)).toHaveLength(4);
    await member.disarm({ memberId: one, type: 'NOSPACE' }, never);
    const left = await member.alarms(never);
    expect(left).toHaveLength(3);
    expect(left).toEqual(
      expect.arrayContaining([
        { memberId: two, type: 'NOSPACE' },
        { memberId: one, type: 'CORRUPT' },
        { memberId: three, type: 'CORRUPT' },
      ]),
    );
  });
});

// field: F078
test('a member that ran out of its quota takes writes again once it is small and its alarm is lifted', async () => {
  await using cluster = await startCluster({ args: ['--quota-backend-bytes=30000000'] });
  await using member = memberAt(cluster.endpoints[0] ?? '');
  await expect(fill(cluster)).rejects.toThrow(/database space exceeded/);
  const { memberId } = await member.status(never);
  expect(await member.alarms(never)).toEqual([{ memberId, type: 'NOSPACE' }]);
  await emptyOut(cluster, member);
  await member.defragment({ timeoutMs: 30_000 }, never);
  await expect(cluster.etcdctl(['put', 'key', 'value'])).rejects.toThrow(/database space exceeded/);
  await member.disarm({ memberId, type: 'NOSPACE' }, never);
  expect(await member.alarms(never)).toEqual([]);
  expect(await cluster.etcdctl(['put', 'key', 'value'])).toContain('OK');
});
