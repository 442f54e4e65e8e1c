import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { compact, now } from '../defrag/cluster.ts';
import { GiB, liveCluster, MiB, requireNothingOpen, type LiveCluster } from '../support/defrag-cluster.ts';
import { wardenError } from '../support/errors.ts';
import { startTheClock, stopTheClock } from '../support/pass-time.ts';
import { resultsOf, runAt } from './defrag-run.ts';

vi.mock('node:timers/promises', () => import('../support/fake-delay.ts'));

describe('Defragmenting a cluster', () => {
  let cluster: LiveCluster;

  beforeEach(() => {
    stopTheClock(now);
    cluster = liveCluster();
  });

  afterEach(() => {
    startTheClock();
    requireNothingOpen(cluster);
  });

  // field: F064
  // field: F065
  // BC-09, BC-11
  it('takes the followers first, moves leadership to a finished one, and takes the old leader last', async () => {
    const run = await runAt(cluster).run();
    expect(cluster.sent()).toEqual(['defragment m2', 'defragment m3', 'moveLeader m1 2', 'defragment m1']);
    expect(resultsOf(run)).toEqual(['m2', 'm3', 'm1'].map((name) => `${name}: reclaimed 768 MiB`));
    expect(run).toMatchObject({ stoppedBy: undefined, moves: [{ from: 'm1', to: 'm2' }] });
  });

  // field: F064
  // BC-09
  it('rests after each member for the pause, and not after the last one', async () => {
    await runAt(cluster).run({ pauseMs: 90_000 });
    const calls = cluster.etcd.commands.filter(({ call }) => call === 'defragment').map(({ atMs }) => atMs);
    expect(calls.slice(1).map((atMs, index) => atMs - (calls[index] ?? 0))).toEqual([90_000, 90_000]);
    expect(Date.now() - (calls.at(-1) ?? 0)).toBeLessThan(1000);
  });

  // BC-09
  it('has never two members at work at once, however long each takes', async () => {
    let atWork = 0;
    let most = 0;
    for (const member of cluster.members) {
      member.defragment = async () => {
        most = Math.max(most, (atWork += 1));
        await new Promise((done) => setTimeout(done, 3000));
        member.status = { ...member.status, dbSizeBytes: GiB / 4 };
        atWork -= 1;
      };
    }
    await runAt(cluster).run({ pauseMs: 0 });
    expect([most, cluster.sent().length]).toEqual([1, 4]);
  });

  it('defragments the leader in place where leadership is not to be moved', async () => {
    await runAt(cluster).run({ policy: { moveLeader: false } });
    expect(cluster.sent()).toEqual(['defragment m2', 'defragment m3', 'defragment m1']);
  });

  it('stops where leadership comes back to the member that it was moved away from', async () => {
    cluster.onLook = () => {
      if (cluster.sent().at(-1) === 'moveLeader m1 2') cluster.leader = 'm1';
    };
    const run = await runAt(cluster).run();
    expect(cluster.sent()).toEqual(['defragment m2', 'defragment m3', 'moveLeader m1 2']);
    expect(run.stoppedBy).toEqual(wardenError('defrag-failed', 'm1 leads again'));
    expect(run.members.map(({ name }) => name)).toEqual(['m2', 'm3']);
  });

  it('stops where leadership was handed over and does not arrive, within seconds', async () => {
    cluster.moveLeader = async () => undefined;
    const run = await runAt(cluster).run({ pauseMs: 0 });
    expect(run.stoppedBy).toEqual(wardenError('defrag-failed', 'handed from m1 to m2', 'does not have it'));
    expect(cluster.sent().at(-1)).toBe('moveLeader m1 2');
    expect(Date.now() - now.getTime()).toBeLessThan(20_000);
  });

  // BC-11
  it('plans anew before each step: a member that has become the leader meanwhile comes last', async () => {
    cluster.member('m2').defragment = async () => {
      cluster.member('m2').status = { ...cluster.member('m2').status, dbSizeBytes: GiB / 4 };
      cluster.leader = 'm3';
    };
    await runAt(cluster).run();
    expect(cluster.sent()).toEqual(['defragment m2', 'defragment m1', 'moveLeader m3 1', 'defragment m3']);
  });

  // field: F074
  it('sends nothing where no rule is due, and says why of each member', async () => {
    const sizes = [48_812_032, 48_799_744, 48_807_936];
    cluster = liveCluster(
      sizes.map((dbSizeBytes) => ({ status: { dbSizeBytes, dbSizeInUseBytes: dbSizeBytes - 4096 } })),
    );
    const run = await runAt(cluster).run({ policy: { minReclaimBytes: 0 } });
    expect([cluster.sent(), run.members, run.stoppedBy]).toEqual([[], [], undefined]);
    expect(run.plan.skipped.map(({ reasons }) => reasons.join())).toEqual(
      Array.from({ length: 3 }, (): unknown => expect.stringContaining('fragmentation 0% is not above 45%')),
    );
  });

  // field: F075
  // field: F080
  it('leaves a full member alone of which nothing can be given back, every time', async () => {
    cluster = liveCluster([{ status: { dbSizeBytes: 7.9 * GiB, dbSizeInUseBytes: 7.89 * GiB } }, compacted, compacted]);
    const run = await runAt(cluster).run();
    expect(cluster.sent()).toEqual([]);
    expect(run.plan.skipped[0]?.reasons.join()).toMatch(
      /reclaimable, less than minReclaim[^]*history is not compacted/,
    );
  });

  // field: F058
  // BC-25
  it('passes learners by and needs nothing of them', async () => {
    cluster = liveCluster([{}, {}, {}, { isLearner: true, noRead: undefined }]);
    const run = await runAt(cluster).run();
    expect(cluster.sent()).not.toContain('defragment m4');
    expect(run.plan.skipped).toMatchObject([
      { member: { name: 'm4' }, reasons: ['learner: refuses to be defragmented'] },
    ]);
  });

  it('does only the member that is asked for, and skips the thresholds if told to', async () => {
    cluster.member('m3').status = { ...cluster.member('m3').status, dbSizeBytes: GiB, dbSizeInUseBytes: GiB - MiB };
    await runAt(cluster).run({ request: { only: 'm3', forceRule: true } });
    expect(cluster.sent()).toEqual(['defragment m3']);
  });

  it('takes a member that nobody knows for wrong usage, names those that there are, and sends nothing', async () => {
    const test = runAt(cluster);
    await expect(test.run({ request: { only: 'm4' } })).rejects.toEqual(
      wardenError('usage', '--member must be one of m1, m2, m3, got "m4"'),
    );
    await expect(test.dryRun({ request: { only: 'm4' } })).rejects.toEqual(wardenError('usage'));
    expect([cluster.sent(), test.lock.holder]).toEqual([[], undefined]);
  });

  it('shows in a dry run the plan of the real one, takes no lock and sends nothing', async () => {
    const test = runAt(cluster);
    test.lock.takeAway('somebody else');
    const plan = await test.dryRun();
    expect([cluster.sent(), test.written, test.lock.holder]).toEqual([[], [], 'somebody else']);
    test.lock.takeAway();
    expect((await test.run()).plan.steps.map(({ member }) => member.name)).toEqual(
      plan.steps.map(({ member }) => member.name),
    );
  });

  // field: F068
  it('is not due again after a good run, nor after one that made the file no smaller', async () => {
    for (const member of cluster.members) member.defragment = async () => undefined;
    const test = runAt(cluster);
    const first = await test.run();
    expect(resultsOf(first)).toEqual(['m2', 'm3', 'm1'].map((name) => `${name}: reclaimed 0 MiB`));
    expect(test.written.filter(({ afterBytes }) => afterBytes !== undefined)).toMatchObject([
      { failures: 0 },
      { failures: 0 },
      { failures: 0 },
    ]);
    const second = await test.run();
    expect(second.members).toEqual([]);
    expect(second.plan.skipped.map(({ reasons }) => reasons.join())).toEqual(
      Array.from({ length: 3 }, (): unknown => expect.stringContaining('cooldown 6 h')),
    );
  });

  it('goes on without earlier records where they cannot be read, and says so', async () => {
    const records = {
      readAll: () => Promise.reject(new Error('no quorum for records')),
      write: () => Promise.resolve(),
    };
    const test = runAt(cluster, { records });
    expect((await test.run()).members).toHaveLength(3);
    expect(test.logged).toContainEqual([
      'warn',
      'earlier defragmentations are not known',
      { reason: 'no quorum for records' },
    ]);
  });
});

const compacted = { status: { dbSizeBytes: compact.dbSizeBytes ?? 0, dbSizeInUseBytes: compact.inUseBytes ?? 0 } };
