import { status } from '@grpc/grpc-js';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AlarmRequest, AlarmRequest_AlarmAction, AlarmType } from '../../src/adapters/etcd/generated/etcd_pb.ts';
import { refusal } from '../support/fake-etcd.ts';
import { type DefragDocument, makeWorkplace, skippedIn, type Workplace } from './support/defrag-command.ts';
import { corruptOf, type FakeCluster, type FakeMember, nospaceOf, startFakeCluster } from './support/fake-cluster.ts';
import { requireStatus } from './support/warden-process.ts';

/** Faults that no real etcd can be brought to make at will: the command line on members that are made up. */

const GiB = 2 ** 30;
/** Nothing to gain from it. */
const compact = { dbSizeBytes: GiB, inUseBytes: GiB };

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

describe('the sweep', () => {
  // field: F064
  // BC-09
  test('takes one member at a time, and rests between them', async () => {
    await using cluster = await startFakeCluster([{}, {}, {}]);
    const intervals: { member: string; beganMs: number; endedMs: number }[] = [];
    for (const member of cluster.members) {
      member.defragment = async () => {
        const beganMs = performance.now();
        await delay(1_000);
        member.dbSizeBytes = member.inUseBytes;
        intervals.push({ member: member.name, beganMs, endedMs: performance.now() });
      };
    }
    await place.configure({ cluster: cluster.section, defrag: { pause: '1s' } });
    const { members, moves } = await defrag(0);
    expect(intervals.map(({ member }) => member)).toEqual(['m2', 'm3', 'm1']);
    expect(members.map(({ name }) => name)).toEqual(['m2', 'm3', 'm1']);
    expect(moves).toEqual([{ from: 'm1', to: 'm2' }]);
    for (const [index, { beganMs }] of intervals.entries()) {
      const before = intervals[index - 1];
      if (before !== undefined) expect(beganMs - before.endedMs).toBeGreaterThanOrEqual(1_000);
    }
  });

  // field: F064
  test('goes no further while the last one has yet to catch up, and the next run goes on from there', async () => {
    await using cluster = await startFakeCluster([{}, {}, {}]);
    const [, second] = cluster.members as [FakeMember, FakeMember, FakeMember];
    second.defragment = async () => {
      second.dbSizeBytes = second.inUseBytes;
      second.behind = 5_000;
    };
    await place.configure({ cluster: cluster.section, defrag: { pause: '0s' } });
    const stopped = await defrag(5);
    expect(stopped.error).toMatchObject({ code: 'partly-defragmented', details: { finished: ['m2'] } });
    expect(stopped.stoppedBy?.message).toContain('m2 is 5000 entries behind');
    expect(cluster.calls('Defragment').map(({ member }) => member)).toEqual(['m2']);
    second.behind = 0;
    expect((await defrag(0)).members.map(({ name }) => name)).toEqual(['m3', 'm1']);
  });

  // field: F067
  // BC-10
  test('takes a lost call for no end: nobody else is touched until that member serves again', async () => {
    await using cluster = await startFakeCluster([{}, {}, compact]);
    const [leader, second] = cluster.members as [FakeMember, FakeMember, FakeMember];
    let endedMs = 0;
    second.defragment = () => {
      second.serving = delay(3_000).then(() => {
        second.dbSizeBytes = second.inUseBytes;
        endedMs = performance.now();
      });
      // As a balancer says that thinks the connection idle.
      return Promise.reject(refusal(status.UNAVAILABLE, 'transport is closing'));
    };
    await place.configure({ cluster: cluster.section, defrag: { pause: '0s' } });
    const { members } = await defrag(0);
    expect(members).toMatchObject([
      { name: 'm2', outlastedCall: true, afterBytes: second.inUseBytes },
      { name: 'm1', outlastedCall: false, afterBytes: leader.inUseBytes },
    ]);
    const calls = cluster.calls('Defragment', 'MoveLeader');
    expect(calls.map(({ member }) => member)).toEqual(['m2', 'm1', 'm1']);
    for (const { atMs } of calls.slice(1)) expect(atMs).toBeGreaterThan(endedMs);
  });

  // BC-37
  test('ends with the member that has no room for a second copy of its database, which lets it rest', async () => {
    await using cluster = await startFakeCluster([{}, {}, {}]);
    for (const member of cluster.members) {
      member.defragment = () =>
        Promise.reject(refusal(status.UNKNOWN, 'write /data/member/snap/db.tmp.1: no space left on device'));
    }
    await place.configure({ cluster: cluster.section, defrag: { pause: '0s' } });
    const failed = await defrag(1);
    expect(failed.error).toMatchObject({ code: 'defrag-failed' });
    expect(failed.error?.message).toMatch(/member m2 could not be defragmented: .*no space left on device/);
    expect(cluster.calls('Defragment').map(({ member }) => member)).toEqual(['m2']);
    expect(skippedIn(await defrag(1))).toEqual({ m2: expect.stringMatching(/^the last attempt failed/) as unknown });
    expect(cluster.calls('Defragment').map(({ member }) => member)).toEqual(['m2', 'm3']);
  });

  // field: F070
  test.each(['3.4.3', '3.5.9-k3s1'])('defragments no member of etcd %s unless that is accepted', async (version) => {
    await using cluster = await startFakeCluster([compact, { version }, compact]);
    await place.configure({ cluster: cluster.section, defrag: { pause: '0s' } });
    const refused = await defrag(4);
    expect(refused).toMatchObject({ because: 'unsafe-version', error: { code: 'defrag-refused' } });
    expect(refused.explanation).toContain(`etcd ${version} of m2 is before`);
    expect(cluster.calls('Defragment')).toEqual([]);
    await defrag(0, '--accept-unsafe-version');
    expect(cluster.calls('Defragment')).toHaveLength(1);
  });

  // field: F072
  test('refuses while one of five does not answer, though three would do', async () => {
    await using cluster = await startFakeCluster([{}, {}, {}, {}, {}]);
    await place.configure({ cluster: cluster.section });
    await cluster.members[4]?.server[Symbol.asyncDispose]();
    const refused = await defrag(4);
    expect(refused).toMatchObject({ because: 'unreachable-voter' });
    expect(refused.explanation).toContain('no answer from m5');
    expect(cluster.calls('Defragment')).toEqual([]);
  });
});

describe('a member is left alone', () => {
  // field: F074
  test('where the rule says no: what is printed is what is done', async () => {
    const sizes: [number, number][] = [
      [48_812_032, 48_812_032],
      [48_799_744, 48_799_744],
      [48_807_936, 48_803_840],
    ];
    await using cluster = await startFakeCluster(
      sizes.map(([dbSizeBytes, inUseBytes]) => ({ dbSizeBytes, inUseBytes })),
    );
    await place.configure({
      cluster: cluster.section,
      defrag: { rules: [{ fragmentationAbove: '50%' }], minReclaim: '0B' },
    });
    expect(skippedIn(await defrag(0))).toEqual({
      m1: 'nothing of 46.5 MiB is reclaimable',
      m2: 'nothing of 46.5 MiB is reclaimable',
      m3: 'rule 1: fragmentation 0% is not above 50%',
    });
    expect(cluster.calls('Defragment')).toEqual([]);
  });

  // field: F075
  test('where it is nearly full and nothing can be given back, and status shows how full it is', async () => {
    const full = { dbSizeBytes: Math.round(7.9 * GiB), inUseBytes: Math.round(7.85 * GiB), quotaBytes: 8 * GiB };
    await using cluster = await startFakeCluster([full, full, full]);
    await place.configure({
      cluster: cluster.section,
      defrag: { rules: [{ usageAbove: '75%' }], minReclaim: '64MiB' },
    });
    const { steps, skipped } = await defrag(0);
    expect([steps, skipped.length]).toEqual([[], 3]);
    for (const { reasons } of skipped) expect(reasons[0]).toContain('reclaimable, less than minReclaim 64 MiB');
    expect(cluster.calls('Defragment')).toEqual([]);
    const seen = requireStatus(await place.run('status'), 0).json() as { members: { usage: number }[] };
    expect(seen.members.map(({ usage }) => Math.floor(usage * 100))).toEqual([98, 98, 98]);
  });

  // field: F082
  test('where it does not tell what is in use: that is never taken for all free', async () => {
    await using cluster = await startFakeCluster([compact, { inUseBytes: 0 }, compact]);
    await place.configure({ cluster: cluster.section });
    expect(skippedIn(await defrag(0, '--force-rule', '--member', 'm2'))).toMatchObject({
      m2: 'sizes in use are not told: nothing can be predicted',
    });
    expect(cluster.calls('Defragment')).toEqual([]);
  });

  // field: F082
  test('where a rule needs the quota and nobody knows it, until the configuration gives it', async () => {
    const sizes = { dbSizeBytes: 1.75 * GiB, inUseBytes: 1.25 * GiB, quotaBytes: 0 };
    await using cluster = await startFakeCluster([sizes, sizes, sizes]);
    const rules = { rules: [{ usageAbove: '75%', reclaimableAbove: '10%ofQuota' }], pause: '0s' };
    await place.configure({ cluster: cluster.section, defrag: rules });
    expect(await defrag(4)).toMatchObject({ because: 'unknown-quota' });
    expect(cluster.calls('Defragment')).toEqual([]);
    await place.configure({ cluster: { ...cluster.section, quota: '8GiB' }, defrag: rules });
    expect((await defrag(0)).steps).toEqual([]);
    await place.configure({ cluster: { ...cluster.section, quota: '2GiB' }, defrag: rules });
    expect((await defrag(0)).members).toHaveLength(3);
  });
});

describe('the alarm NOSPACE', () => {
  const full = { dbSizeBytes: 8 * GiB, inUseBytes: GiB, quotaBytes: 8 * GiB };
  const fails = (): Promise<never> => Promise.reject(refusal(status.UNKNOWN, 'it would not'));

  // field: F077
  test('is lifted though one member failed to be defragmented, if that one is small enough', async () => {
    const small = { dbSizeBytes: 2 * GiB, inUseBytes: GiB, defragment: fails };
    await using cluster = await startFakeCluster([full, full, small]);
    cluster.alarms = [nospaceOf(cluster.members[0] as FakeMember)];
    await place.configure({ cluster: cluster.section, defrag: { pause: '0s', moveLeader: false } });
    // Out of space the one that fails is passed over: the leader behind it still has to be made smaller.
    const { members, disarmed, stoppedBy } = await defrag(5);
    expect(members.map(({ name }) => name)).toEqual(['m2', 'm3', 'm1']);
    expect(stoppedBy).toMatchObject({ code: 'defrag-failed' });
    expect(disarmed).toEqual(['a1']);
    expect(cluster.alarms).toEqual([]);
  });

  // field: F077
  test('stays while that one is as full as ever, and it is named', async () => {
    await using cluster = await startFakeCluster([compact, compact, { ...full, defragment: fails }]);
    cluster.alarms = [nospaceOf(cluster.members[2] as FakeMember)];
    await place.configure({ cluster: cluster.section, defrag: { pause: '0s' } });
    const { disarmed, nospaceStays } = await defrag(1);
    expect(disarmed).toEqual([]);
    expect(nospaceStays).toBe('NOSPACE of m3 stays: m3 takes 8 GiB of its quota 8 GiB, 100%, and has to be below 90%');
    expect(cluster.alarms).toHaveLength(1);
  });

  // field: F078
  // BC-15
  test.each(['before', 'behind'])(
    'stays beside CORRUPT, %s it, and is then lifted where it was raised',
    async (where) => {
      await using cluster = await startFakeCluster([compact, compact, compact]);
      const [one, two] = cluster.members as [FakeMember, FakeMember, FakeMember];
      const alarms = [nospaceOf(one), corruptOf(two)];
      cluster.alarms = where === 'before' ? alarms : alarms.toReversed();
      await place.configure({ cluster: cluster.section });
      const stays = await defrag(4);
      expect(stays.nospaceStays).toBe('NOSPACE of m1 stays: CORRUPT is raised as well');
      expect(deactivationsAt(cluster)).toEqual([]);
      cluster.alarms = [nospaceOf(one)];
      expect((await defrag(0)).disarmed).toEqual(['a1']);
      expect(deactivationsAt(cluster)).toMatchObject([{ memberID: one.id, alarm: AlarmType.NOSPACE }]);
    },
  );

  // field: F078
  test('stays where the configuration says that it does', async () => {
    await using cluster = await startFakeCluster([compact, compact, compact]);
    cluster.alarms = [nospaceOf(cluster.members[0] as FakeMember)];
    await place.configure({ cluster: cluster.section, defrag: { disarmNospace: false } });
    expect((await defrag(0)).disarmed).toEqual([]);
    expect(deactivationsAt(cluster)).toEqual([]);
  });
});

/** Every request that asks for an alarm to be lifted, whatever it asks for. */
function deactivationsAt({ members }: FakeCluster): readonly AlarmRequest[] {
  return members
    .flatMap(({ server }) => server.calls)
    .filter(({ name }) => name === 'Alarm')
    .map(({ request }) => request as AlarmRequest)
    .filter(({ action }) => action !== AlarmRequest_AlarmAction.GET);
}
