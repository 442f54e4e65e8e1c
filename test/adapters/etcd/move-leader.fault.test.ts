import { expect, test } from 'vitest';
import { startCluster } from '../../support/etcd.ts';
import { etcdFor, never } from './connect.ts';

test('leadership that does not come to a member which is stopped is a failed move, in time', async () => {
  await using cluster = await startCluster({ members: 3 });
  const etcd = etcdFor(cluster);
  const { members } = await etcd.discover(never);
  const ofLeader = members.find(({ name }) => name === 'm1');
  if (ofLeader === undefined) throw new Error('m1 is not listed');
  await using any = etcd.connect(ofLeader);
  const { leaderId } = await any.status(never);
  const [leader, follower] = [members.find(({ id }) => id === leaderId), members.find(({ id }) => id !== leaderId)];
  const stopped = cluster.members.find(({ name }) => name === follower?.name);
  if (leader === undefined || follower === undefined) throw new Error('a cluster without leader or follower');
  await using client = etcd.connect(leader);
  stopped?.process.signal('SIGSTOP');
  const sentMs = performance.now();
  await expect(client.moveLeader(follower.id, never)).rejects.toMatchObject({
    code: 'etcd-call-failed',
    message: `leadership did not come to member ${follower.id.toString(16)} within 15 s`,
  });
  expect(performance.now() - sentMs).toBeLessThan(17_000);
});
