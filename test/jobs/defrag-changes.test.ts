import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { now } from '../defrag/cluster.ts';
import { liveCluster, requireNothingOpen, shrink, untilAborted, type LiveCluster } from '../support/defrag-cluster.ts';
import { wardenError } from '../support/errors.ts';
import { startTheClock, stopTheClock } from '../support/pass-time.ts';
import { refuses } from '../support/scripted-etcd.ts';
import { resultsOf, runAt } from './defrag-run.ts';

vi.mock('node:timers/promises', () => import('../support/fake-delay.ts'));

describe('Between one member and the next', () => {
  let cluster: LiveCluster;

  beforeEach(() => {
    stopTheClock(now);
    cluster = liveCluster();
  });

  afterEach(() => {
    startTheClock();
    requireNothingOpen(cluster);
  });

  // BC-11, BC-12
  it.each<[string, string, (cluster: LiveCluster) => void]>([
    ['a voter vanishes', 'unreachable-voter', (c) => (c.member('m3').silent = refuses('etcd-unreachable'))],
    ['CORRUPT is raised', 'corrupt-alarm', (c) => (c.alarms = [{ memberId: 3n, type: 'CORRUPT' }])],
    ['a snapshot is opened', 'snapshot-open', (c) => (c.member('m3').metrics = { openSnapshots: 1 })],
    ['somebody else defragments', 'defrag-running', (c) => (c.member('m1').metrics = { isDefragmenting: true })],
    ['the metrics go dark', 'activity-unknown', (c) => (c.member('m2').metrics = refuses('etcd-deadline'))],
    ['the leader is lost', 'no-leader', (c) => (c.leader = '')],
    [
      'the finished member falls behind',
      'lagging-voter',
      (c) => (c.member('m1').status = { ...c.member('m1').status, raftIndex: 5020n, raftAppliedIndex: 5020n }),
    ],
    [
      'a member sees another cluster',
      'split-view',
      (c) => (c.member('m3').knows = [{ id: 3n, name: 'm3', isLearner: false }]),
    ],
  ])('%s: nothing more is sent', async (_, because, change) => {
    const test = runAt(cluster);
    test.onStage = (text) => {
      if (text.startsWith('resting')) change(cluster);
    };
    const run = await test.run();
    expect(cluster.sent()).toEqual(['defragment m2']);
    expect(resultsOf(run)).toEqual(['m2: reclaimed 768 MiB']);
    expect(run.stoppedBy).toEqual(wardenError('defrag-refused', `nothing more is defragmented (${because}): `));
  });

  // BC-11, BC-12
  it('the very last look counts: what changed after the plan was made keeps the call from being sent', async () => {
    const test = runAt(cluster);
    test.onStage = (text) => {
      if (text === 'defragmenting m3') cluster.member('m3').metrics = { openSnapshots: 1 };
    };
    const run = await test.run();
    expect(cluster.sent()).toEqual(['defragment m2']);
    expect(run.stoppedBy).toEqual(wardenError('defrag-refused', 'nothing more is defragmented (snapshot-open): '));
  });

  // field: F065
  it('nobody is left to take leadership over: the leader is not defragmented', async () => {
    const test = runAt(cluster);
    cluster.onLook = () => {
      if (cluster.sent().length < 2) return;
      for (const name of ['m2', 'm3']) cluster.member(name).isLearner = true;
    };
    const run = await test.run();
    expect(cluster.sent()).toEqual(['defragment m2', 'defragment m3']);
    expect(run.stoppedBy).toEqual(wardenError('defrag-refused', 'single-member'));
  });

  // BC-09
  it('the first failure ends the run: no other member is touched', async () => {
    cluster.member('m2').defragment = () => Promise.reject(refuses('etcd-call-failed', 'tx closed'));
    const run = await runAt(cluster).run();
    expect(cluster.sent()).toEqual(['defragment m2']);
    expect(resultsOf(run)).toEqual(['m2: defrag-failed']);
    expect(run.stoppedBy).toEqual(wardenError('defrag-failed', 'm2 could not be defragmented', 'tx closed'));
  });

  // field: F067
  // BC-10
  it('a member that outlasts its call is waited for before the next one is asked', async () => {
    const m2 = cluster.member('m2');
    let endedAtMs = 0;
    m2.defragment = (timeoutMs) => {
      m2.metrics = { isDefragmenting: true };
      m2.noRead = refuses('etcd-deadline');
      const end = (): void => {
        shrink(m2);
        m2.metrics = {};
        m2.noRead = undefined;
        endedAtMs = Date.now();
      };
      setTimeout(end, timeoutMs + 45_000);
      return new Promise((_, late) => setTimeout(() => late(refuses('etcd-deadline')), timeoutMs));
    };
    const run = await runAt(cluster).run();
    const [first, second] = cluster.etcd.commands;
    expect([first?.member, second?.member, cluster.sent().length]).toEqual(['m2', 'm3', 4]);
    expect(second?.atMs).toBeGreaterThanOrEqual(endedAtMs + 60_000);
    expect(run.members[0]).toMatchObject({ outlastedCall: true, error: undefined });
  });

  // field: F067
  // BC-10
  it('a member that never serves again is left alone, and so are all others', async () => {
    const m2 = cluster.member('m2');
    m2.defragment = (timeoutMs) => {
      m2.noRead = refuses('etcd-deadline');
      return new Promise((_, late) => setTimeout(() => late(refuses('etcd-deadline', 'no answer in time')), timeoutMs));
    };
    const run = await runAt(cluster).run();
    expect(cluster.sent()).toEqual(['defragment m2']);
    expect(run.stoppedBy).toEqual(wardenError('defrag-unfinished', 'm2', 'does not serve again', 'no answer in time'));
  });

  // field: F068
  it('a member whose calls always outlive their time is asked at most twice an hour, emergency or not', async () => {
    cluster = liveCluster([
      { status: { dbSizeInUseBytes: 0.8 * 2 ** 30, dbSizeQuotaBytes: 1.05 * 2 ** 30 } },
      { status: { dbSizeBytes: 2 ** 20, dbSizeInUseBytes: 2 ** 20 } },
      { status: { dbSizeBytes: 2 ** 20, dbSizeInUseBytes: 2 ** 20 } },
    ]);
    for (const member of cluster.members) {
      member.defragment = async (timeoutMs) => {
        await new Promise((late) => setTimeout(late, timeoutMs));
        cluster.leader = cluster.leader === 'm1' ? 'm2' : 'm1';
        throw refuses('etcd-deadline');
      };
    }
    const test = runAt(cluster);
    const endMs = now.getTime() + 3_600_000;
    while (Date.now() < endMs) {
      await test.run({ policy: { rules: [{ usageAbove: 0.75 }] } });
      vi.setSystemTime(Date.now() + 600_000);
    }
    const asked = cluster.sent().filter((command) => command === 'defragment m1').length;
    expect(asked).toBeGreaterThanOrEqual(1);
    expect(asked).toBeLessThanOrEqual(2);
  });

  it('being told to stop during the rest ends the run at once', async () => {
    const test = runAt(cluster);
    test.onStage = (text) => {
      if (text.startsWith('resting'))
        setTimeout(() => test.stop.abort(refuses('interrupted', 'ended by SIGTERM')), 1000);
    };
    const run = await test.run();
    expect([cluster.sent(), run.stoppedBy]).toEqual([['defragment m2'], wardenError('interrupted', 'SIGTERM')]);
    expect(Date.now() - now.getTime()).toBeLessThan(2000);
  });

  it('being told to stop during a call begins no second one, and ends in a pod’s time', async () => {
    const m2 = cluster.member('m2');
    m2.defragment = (_, signal) => {
      m2.noRead = refuses('etcd-deadline');
      return untilAborted(signal);
    };
    const test = runAt(cluster);
    setTimeout(() => test.stop.abort(refuses('interrupted', 'ended by SIGTERM')), 5000);
    const run = await test.run();
    expect([cluster.sent(), resultsOf(run)]).toEqual([['defragment m2'], ['m2: defrag-unfinished']]);
    expect(run.stoppedBy).toEqual(wardenError('interrupted', 'SIGTERM'));
    expect(Date.now() - now.getTime()).toBeLessThan(25_000);
    expect(test.written.at(-1)).toMatchObject({ memberId: 2n, failures: 1, afterBytes: undefined });
    expect(test.lock.holder).toBeUndefined();
  });
});
