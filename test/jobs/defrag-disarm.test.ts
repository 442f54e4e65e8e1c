import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Alarm } from '../../src/ports/etcd.ts';
import { now } from '../defrag/cluster.ts';
import { GiB, liveCluster, MiB, requireNothingOpen, type LiveCluster } from '../support/defrag-cluster.ts';
import { wardenError } from '../support/errors.ts';
import { startTheClock, stopTheClock } from '../support/pass-time.ts';
import { refuses } from '../support/scripted-etcd.ts';
import { runAt } from './defrag-run.ts';

vi.mock('node:timers/promises', () => import('../support/fake-delay.ts'));

const nospace = (...ids: readonly number[]): Alarm[] => ids.map((id) => ({ memberId: BigInt(id), type: 'NOSPACE' }));
/** At its quota, and half of it can be given back. */
const full = { status: { dbSizeBytes: 2 * GiB, dbSizeInUseBytes: GiB, dbSizeQuotaBytes: 2 * GiB } };
/** At its quota, and all of it is in use. */
const stuffed = { status: { ...full.status, dbSizeInUseBytes: 2 * GiB - MiB } };
const small = { status: { dbSizeBytes: 64 * MiB, dbSizeInUseBytes: 60 * MiB } };

describe('The alarm NOSPACE', () => {
  let cluster: LiveCluster;

  beforeEach(() => {
    stopTheClock(now);
  });

  afterEach(() => {
    startTheClock();
    requireNothingOpen(cluster);
  });

  const disarms = (): string[] => cluster.sent().filter((command) => command.startsWith('disarm'));

  // field: F078
  // BC-15
  it('is lifted at the end, each one as it was raised, and no other', async () => {
    cluster = liveCluster([full, full, full]);
    cluster.alarms = nospace(3, 1);
    const run = await runAt(cluster).run();
    expect(cluster.sent().slice(-2)).toEqual(['disarm m1 1 NOSPACE', 'disarm m1 3 NOSPACE']);
    expect([disarms().length, run.disarmed]).toEqual([2, { memberIds: [1n, 3n], stays: undefined }]);
  });

  // field: F078
  it('is lifted where nothing was due any more, because an earlier run did not come to it', async () => {
    cluster = liveCluster([small, small, small]);
    cluster.alarms = nospace(2);
    const run = await runAt(cluster).run();
    expect([cluster.sent(), run.members]).toEqual([['disarm m1 2 NOSPACE'], []]);
  });

  // field: F077
  it('is lifted where one member failed whose size is no obstacle: the others are not kept waiting for it', async () => {
    cluster = liveCluster([full, full, { status: { ...small.status, dbSizeBytes: 400 * MiB } }]);
    cluster.member('m3').defragment = () => Promise.reject(refuses('etcd-call-failed', 'tx closed'));
    cluster.alarms = nospace(1);
    const run = await runAt(cluster).run();
    expect(run.stoppedBy).toEqual(wardenError('defrag-failed', 'm3'));
    expect(run.members.map(({ name }) => name)).toEqual(['m2', 'm3', 'm1']);
    expect(disarms()).toEqual(['disarm m1 1 NOSPACE']);
  });

  // BC-10
  it('is no reason to go on beside a member that may still be at work', async () => {
    cluster = liveCluster([full, full, full]);
    cluster.member('m2').defragment = async () => void (cluster.member('m2').noRead = refuses('etcd-deadline'));
    cluster.alarms = nospace(1);
    const run = await runAt(cluster).run();
    expect(run.stoppedBy).toEqual(wardenError('defrag-unfinished', 'm2'));
    expect(cluster.sent()).toEqual(['defragment m2']);
  });

  // field: F077
  it('stays where a member is still at its quota, and the reason is named', async () => {
    cluster = liveCluster([full, full, stuffed]);
    cluster.alarms = nospace(3);
    const test = runAt(cluster);
    const run = await test.run();
    expect([run.members.length, disarms()]).toEqual([2, []]);
    expect(run.disarmed.stays).toMatch(/^NOSPACE of m3 stays: m3 takes 2 GiB of its quota 2 GiB/);
    expect(run.stoppedBy).toEqual(wardenError('nospace-stays', 'm3 takes 2 GiB'));
    expect(test.logged).toContainEqual(['warn', 'the alarm NOSPACE stays', { reason: run.disarmed.stays }]);
  });

  // BC-15
  it('stays while CORRUPT is raised, and nothing is defragmented then', async () => {
    cluster = liveCluster([small, small, small]);
    cluster.alarms = [{ memberId: 2n, type: 'CORRUPT' }, ...nospace(1)];
    const run = await runAt(cluster).run({ request: { forceRule: true } });
    expect(cluster.sent()).toEqual([]);
    expect(run.stoppedBy).toEqual(wardenError('defrag-refused', 'corrupt-alarm'));
    expect(run.disarmed.stays).toContain('CORRUPT');
  });

  it('is left to the operator where the configuration says so', async () => {
    cluster = liveCluster([full, full, full]);
    cluster.alarms = nospace(1);
    const run = await runAt(cluster).run({ disarmNospace: false });
    expect([disarms(), run.disarmed]).toEqual([[], { memberIds: [], stays: undefined }]);
  });

  it('is not touched by a dry run', async () => {
    cluster = liveCluster([small, small, small]);
    cluster.alarms = nospace(1);
    await runAt(cluster).dryRun();
    expect(cluster.sent()).toEqual([]);
  });

  it('that could not be lifted is told of beside what was done', async () => {
    cluster = liveCluster([full, full, full]);
    cluster.alarms = nospace(1, 2);
    cluster.disarm = ({ memberId }) => {
      return memberId === 2n ? Promise.reject(refuses('etcd-deadline', 'too slow')) : Promise.resolve();
    };
    const run = await runAt(cluster).run();
    expect(run.members).toHaveLength(3);
    expect(run.disarmed).toEqual({ memberIds: [1n], stays: 'too slow' });
  });

  it('is nobody’s concern once the run was told to stop', async () => {
    cluster = liveCluster([full, full, full]);
    cluster.alarms = nospace(1);
    const test = runAt(cluster);
    test.onStage = (text) => {
      if (text.startsWith('resting')) test.stop.abort(refuses('interrupted', 'ended by SIGTERM'));
    };
    const run = await test.run();
    expect([disarms(), run.members.length]).toEqual([[], 1]);
    expect(run.disarmed).toEqual({ memberIds: [], stays: undefined });
  });

  it('being told to stop while it is lifted loses nothing of what was done', async () => {
    cluster = liveCluster([full, full, full]);
    cluster.alarms = nospace(1, 2);
    const test = runAt(cluster);
    cluster.disarm = async () => test.stop.abort(refuses('interrupted', 'ended by SIGTERM'));
    const run = await test.run();
    expect(run.members).toHaveLength(3);
    expect(run.disarmed.memberIds).toEqual([1n]);
    expect(run.stoppedBy).toEqual(wardenError('interrupted', 'SIGTERM'));
  });

  it('stays where the members cannot be looked at again', async () => {
    cluster = liveCluster([full, full, full]);
    cluster.alarms = nospace(1);
    cluster.onLook = () => {
      if (cluster.sent().at(-1) === 'defragment m1') throw refuses('etcd-unreachable', 'nobody answers');
    };
    const run = await runAt(cluster).run();
    expect([run.members.length, run.disarmed.stays, disarms()]).toEqual([3, 'nobody answers', []]);
  });

  // BC-15
  it('keeps no records from being written down: without space the run goes on and warns', async () => {
    cluster = liveCluster([full, full, full]);
    cluster.alarms = nospace(1);
    const records = {
      readAll: async () => new Map(),
      write: () => Promise.reject(refuses('etcd-call-failed', 'database space exceeded')),
    };
    const test = runAt(cluster, { records });
    const run = await test.run();
    expect([run.members.length, run.stoppedBy]).toEqual([3, undefined]);
    expect(test.logged.filter(([, message]) => message.includes('cannot be remembered'))).toHaveLength(6);
  });
});
