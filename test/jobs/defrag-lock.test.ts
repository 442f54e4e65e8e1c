import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClusterLock } from '../../src/ports/lock.ts';
import { now } from '../defrag/cluster.ts';
import { liveCluster, requireNothingOpen, shrink, type LiveCluster } from '../support/defrag-cluster.ts';
import { wardenError } from '../support/errors.ts';
import { startTheClock, stopTheClock } from '../support/pass-time.ts';
import { refuses } from '../support/scripted-etcd.ts';
import { resultsOf, runAt } from './defrag-run.ts';

vi.mock('node:timers/promises', () => import('../support/fake-delay.ts'));

describe('The lock of a defragmentation', () => {
  let cluster: LiveCluster;

  beforeEach(() => {
    stopTheClock(now);
    cluster = liveCluster();
  });

  afterEach(() => {
    startTheClock();
    requireNothingOpen(cluster);
  });

  it('is held from before the first look to after the last one, and given back', async () => {
    const test = runAt(cluster);
    const holders: (string | undefined)[] = [];
    cluster.onLook = () => void holders.push(test.lock.holder);
    await test.run();
    expect(new Set(holders)).toEqual(new Set(['defrag on node-1, process 4711']));
    expect(test.lock.holder).toBeUndefined();
  });

  // field: F073
  // BC-28
  it('of somebody else ends the run with busy and names the holder, before anything is asked', async () => {
    const test = runAt(cluster);
    let looks = 0;
    cluster.onLook = (look) => (looks = look);
    test.lock.takeAway('backup on node-2');
    const refused = await test.run().catch((error: unknown) => error);
    expect(refused).toEqual(
      wardenError('busy', 'another run works on this cluster since 2026-11-25T', 'backup on node-2'),
    );
    expect(refused).toMatchObject({ exitStatus: 6, details: { holder: 'backup on node-2' } });
    expect([looks, cluster.sent(), test.lock.holder]).toEqual([0, [], 'backup on node-2']);
  });

  it('that cannot be taken is a refusal', async () => {
    const test = runAt(cluster);
    test.lock.failWith('no quorum for the lease');
    const refused = await test.run().catch((error: unknown) => error);
    expect(refused).toEqual(wardenError('defrag-refused', 'the lock cannot be taken: no quorum for the lease'));
    expect(refused).toMatchObject({ exitStatus: 4, details: { because: 'no-lock' } });
    expect((refused as { hint: string }).hint).toContain('coordination.lock');
    expect(cluster.sent()).toEqual([]);
  });

  it('that cannot be taken, while no member can say whether there is space, is a refusal as well', async () => {
    const test = runAt(cluster);
    test.lock.failWith('no quorum for the lease');
    cluster.alarms = refuses('etcd-no-leader');
    await expect(test.run()).rejects.toEqual(wardenError('defrag-refused', 'no quorum for the lease'));
    expect(cluster.sent()).toEqual([]);
  });

  // BC-15
  it('that cannot be taken for want of space in etcd is gone without, with a warning', async () => {
    const test = runAt(cluster);
    test.lock.failWith('database space exceeded');
    cluster.alarms = [{ memberId: 2n, type: 'NOSPACE' }];
    const run = await test.run();
    expect(resultsOf(run)).toHaveLength(3);
    expect(run.disarmed).toEqual({ memberIds: [2n], stays: undefined });
    expect(test.logged).toContainEqual([
      'warn',
      'going on without the lock: etcd is out of space',
      { reason: 'database space exceeded' },
    ]);
  });

  it('is not needed where coordination is turned off', async () => {
    expect((await runAt(cluster, { lock: 'none' }).run()).members).toHaveLength(3);
  });

  // field: F068
  it('lost during a call never ends the call, but everything after it', async () => {
    const test = runAt(cluster);
    const m2 = cluster.member('m2');
    let wasEnded = false;
    m2.defragment = async (_, signal) => {
      test.lock.takeAway('somebody else');
      await new Promise((done) => setTimeout(done, 8000));
      wasEnded = signal.aborted;
      shrink(m2);
    };
    const run = await test.run();
    expect(wasEnded).toBe(false);
    expect([cluster.sent(), resultsOf(run)]).toEqual([['defragment m2'], ['m2: reclaimed 768 MiB']]);
    expect(run.stoppedBy).toEqual(wardenError('lock-lost'));
    expect(test.written.at(-1)).toMatchObject({ failures: 0 });
    expect(test.lock.holder).toBe('somebody else');
  });

  it('lost during the rest ends the run at once', async () => {
    const test = runAt(cluster);
    test.onStage = (text) => {
      if (text.startsWith('resting')) setTimeout(() => test.lock.takeAway('somebody else'), 1000);
    };
    const run = await test.run();
    expect([cluster.sent(), run.stoppedBy]).toEqual([['defragment m2'], wardenError('lock-lost')]);
    expect(Date.now() - now.getTime()).toBeLessThan(2000);
  });

  it.each([
    ['first', 1],
    ['last', 2],
  ])('lost during the %s look keeps the step from being taken', async (_, lostAt) => {
    const test = runAt(cluster);
    cluster.onLook = (look) => {
      if (look === lostAt) test.lock.takeAway('somebody else');
    };
    const run = await test.run();
    expect([cluster.sent(), run.stoppedBy]).toEqual([[], wardenError('lock-lost')]);
  });

  it('that nobody can confirm keeps the next step from being taken', async () => {
    const test = runAt(cluster);
    test.onStage = (text) => {
      if (text.startsWith('resting')) test.lock.failWith('no quorum');
    };
    const run = await test.run();
    expect([cluster.sent(), run.stoppedBy]).toEqual([['defragment m2'], wardenError('lock-lost', 'no quorum')]);
  });

  it('that cannot be asked for, because the run was told to stop, is no refusal', async () => {
    const lock: ClusterLock = { acquire: () => Promise.reject(refuses('interrupted', 'ended by SIGINT')) };
    await expect(runAt(cluster, { lock }).run()).rejects.toEqual(wardenError('interrupted', 'SIGINT'));
  });
});
