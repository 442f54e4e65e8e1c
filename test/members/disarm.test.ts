import { afterEach, describe, expect, it } from 'vitest';
import { disarmNospace, type Disarmed } from '../../src/members/disarm.ts';
import { lookAtCluster } from '../../src/members/look.ts';
import { fieldsLog } from '../jobs/repositories.ts';
import { GiB, liveCluster, requireNothingOpen, type LiveCluster } from '../support/defrag-cluster.ts';
import { fakedClock } from '../support/pass-time.ts';
import { refuses } from '../support/scripted-etcd.ts';

const go = new AbortController().signal;

describe('Lifting NOSPACE', () => {
  let cluster: LiveCluster;

  afterEach(() => {
    requireNothingOpen(cluster);
  });

  async function disarm(): Promise<Disarmed> {
    const { etcd, metrics } = cluster;
    const options = { quotaBytes: undefined, records: new Map() };
    await using look = await lookAtCluster({ etcd, metrics, clock: fakedClock }, options, go);
    return await disarmNospace(look, fieldsLog(), go);
  }

  // field: F078
  // BC-15
  it('asks for the very pairs that were read, one by one', async () => {
    cluster = liveCluster();
    cluster.alarms = [2n, 1n].map((memberId) => ({ memberId, type: 'NOSPACE' }));
    expect(await disarm()).toEqual({ memberIds: [1n, 2n], stays: undefined });
    expect(cluster.etcd.commands.map(({ request }) => request)).toEqual(
      [1n, 2n].map((memberId) => ({ memberId, type: 'NOSPACE' })),
    );
  });

  // field: F078
  // BC-15
  it('asks for nothing while CORRUPT is raised, in whatever order they are listed', async () => {
    const [corrupt, nospace] = [{ memberId: 2n, type: 'CORRUPT' } as const, { memberId: 1n, type: 'NOSPACE' } as const];
    for (const alarms of [
      [corrupt, nospace],
      [nospace, corrupt],
    ]) {
      cluster = liveCluster();
      cluster.alarms = alarms;
      expect(await disarm()).toEqual({ memberIds: [], stays: 'NOSPACE of m1 stays: CORRUPT is raised as well' });
      expect(cluster.sent()).toEqual([]);
    }
  });

  // BC-15
  it('never asks for member 0, which would be all of them', async () => {
    cluster = liveCluster();
    cluster.alarms = [{ memberId: 0n, type: 'NOSPACE' }];
    expect(await disarm()).toEqual({ memberIds: [], stays: undefined });
    expect(cluster.sent()).toEqual([]);
  });

  it('asks for nothing where nothing is raised', async () => {
    cluster = liveCluster();
    expect([await disarm(), cluster.sent()]).toEqual([{ memberIds: [], stays: undefined }, []]);
  });

  // field: F077
  it('leaves the alarm where a voter is close to its quota, and says which', async () => {
    cluster = liveCluster([{}, {}, { status: { dbSizeBytes: 7.5 * GiB } }]);
    cluster.alarms = [{ memberId: 1n, type: 'NOSPACE' }];
    expect((await disarm()).stays).toContain('m3 takes 7.5 GiB of its quota 8 GiB');
    expect(cluster.sent()).toEqual([]);
  });

  it('asks a voter that answers, not the learner or the silent one', async () => {
    cluster = liveCluster([{ isLearner: true }, {}]);
    cluster.leader = 'm2';
    cluster.alarms = [{ memberId: 2n, type: 'NOSPACE' }];
    await disarm();
    expect(cluster.sent()).toEqual(['disarm m2 2 NOSPACE']);
  });

  it('stops at the first that is refused, and tells of those before', async () => {
    cluster = liveCluster();
    cluster.alarms = [1n, 2n, 3n].map((memberId) => ({ memberId, type: 'NOSPACE' }));
    cluster.disarm = ({ memberId }) =>
      memberId === 2n ? Promise.reject(refuses('etcd-no-leader', 'leader changed')) : Promise.resolve();
    expect(await disarm()).toEqual({ memberIds: [1n], stays: 'leader changed' });
    expect(cluster.sent()).toHaveLength(2);
  });
});
