import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { PeerNetwork } from './defrag/peer-network.ts';
import { type DefragDocument, makeWorkplace, type Workplace } from './support/defrag-command.ts';
import { leaderOf } from './support/filled-cluster.ts';
import { defragCallsAt, eager, expectNoOverlap, fragment } from './support/fragmented-cluster.ts';
import { requireStatus } from './support/warden-process.ts';

let place: Workplace;
beforeEach(async () => {
  place = await makeWorkplace();
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
});

async function defrag(exitStatus: number, ...args: readonly string[]): Promise<DefragDocument> {
  return requireStatus(await place.run('defrag', ...args), exitStatus).json() as DefragDocument;
}

const sectionOf = ({ endpoints }: Cluster): object => ({ name: 'test', endpoints });

describe('a cluster of three', () => {
  const network = new PeerNetwork();
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({
      members: 3,
      args: ['--log-level=info'],
      advertisePeer: (url) => network.advertise(url),
    });
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await network[Symbol.asyncDispose]();
  });

  // field: F065
  test('is done followers first; leadership goes to one that is finished before the leader is', async () => {
    await fragment(cluster, 40);
    await place.configure({ cluster: sectionOf(cluster), defrag: eager });
    const { name: leader } = await leaderOf(cluster);
    const { members, moves } = await defrag(0);
    const order = defragCallsAt(cluster).map(({ member }) => member);
    expect(order).toEqual(members.map(({ name }) => name));
    expect([order.length, order[2]]).toEqual([3, leader]);
    expect(moves).toEqual([{ from: leader, to: expect.stringMatching(`^(${order[0]}|${order[1]})$`) as unknown }]);
    expect((await leaderOf(cluster)).name).toBe(moves[0]?.to);
    for (const { beforeBytes, afterBytes } of members) expect(afterBytes).toBeLessThan(beforeBytes / 2);
    expectNoOverlap(defragCallsAt(cluster));
  });

  // BC-09
  // BC-28
  test('is swept by one of two runs that begin together, and the other one leaves at once', async () => {
    await fragment(cluster, 40);
    const before = defragCallsAt(cluster).length;
    await place.configure({ cluster: sectionOf(cluster), defrag: eager, coordination: { lock: 'etcd', ttl: '10s' } });
    const ended = await Promise.all([place.run('defrag'), place.run('defrag')]);
    expect(new Set(ended.map(({ status }) => status))).toEqual(new Set([0, 6]));
    const calls = defragCallsAt(cluster).slice(before);
    expect(calls).toHaveLength(3);
    expectNoOverlap(calls);
  });

  // BC-12
  test('is left alone while one of them is cut off from the others, though it answers for itself', async () => {
    await fragment(cluster, 40);
    await place.configure({ cluster: sectionOf(cluster), defrag: eager });
    const before = defragCallsAt(cluster).length;
    const leader = await leaderOf(cluster);
    const victim = cluster.members.find((member) => member !== leader);
    const listed = await cluster.etcdctl(['member', 'list']);
    const line = listed.split('\n').find((one) => one.includes(`, ${victim?.name}, `)) ?? '';
    const [id = '', , , peerUrl = ''] = line.split(', ');
    network.break({ id, peerUrl }, { kind: 'isolate' });
    const refused = await defrag(4);
    expect(['no-leader', 'split-view', 'unreachable-voter', 'lagging-voter']).toContain(refused.because);
    expect(refused.explanation).toContain(victim?.name);
    network.heal();
    expect(defragCallsAt(cluster)).toHaveLength(before);
  });

  // field: F072
  test('is left alone while one of them is down, also by a run that was asked for another one', async () => {
    await place.configure({ cluster: sectionOf(cluster), defrag: eager });
    const [, , down] = cluster.members;
    await down?.process[Symbol.asyncDispose]();
    const before = defragCallsAt(cluster).length;
    const refused = await defrag(4, '--force-rule', '--member', 'm1');
    expect(refused).toMatchObject({ because: 'unreachable-voter' });
    expect(refused.explanation).toContain('no answer from m3');
    expect(defragCallsAt(cluster)).toHaveLength(before);
  });
});
