import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { handOver } from '../../src/members/hand-over.ts';
import { lookAtCluster } from '../../src/members/look.ts';
import { now } from '../defrag/cluster.ts';
import { liveCluster, requireNothingOpen, type LiveCluster } from '../support/defrag-cluster.ts';
import { wardenError } from '../support/errors.ts';
import { fakedClock, startTheClock, stopTheClock, toItsEnd } from '../support/pass-time.ts';
import { refuses } from '../support/scripted-etcd.ts';

vi.mock('node:timers/promises', () => import('../support/fake-delay.ts'));

describe('Handing leadership over', () => {
  let cluster: LiveCluster;
  let stop: AbortController;

  beforeEach(() => {
    stopTheClock(now);
    cluster = liveCluster();
    stop = new AbortController();
  });

  afterEach(() => {
    startTheClock();
    requireNothingOpen(cluster);
  });

  async function move(): Promise<number> {
    const { etcd, metrics } = cluster;
    const options = { quotaBytes: undefined, records: new Map() };
    await using look = await lookAtCluster({ etcd, metrics, clock: fakedClock }, options, stop.signal);
    const [from, to] = look.facts.members;
    if (from === undefined || to === undefined) throw new Error('members are missing');
    const startedMs = Date.now();
    await toItsEnd(handOver(look, from, to, fakedClock, stop.signal));
    return Date.now() - startedMs;
  }

  // field: F065
  it('asks the leader, once, for this very successor', async () => {
    await move();
    expect(cluster.sent()).toEqual(['moveLeader m1 2']);
  });

  // BC-11
  it('is over only once both say that it has come about', async () => {
    cluster.moveLeader = async () => void setTimeout(() => (cluster.leader = 'm2'), 4000);
    expect(await move()).toBeGreaterThanOrEqual(4000);
  });

  it('that goes to a third member is a failure, after seconds', async () => {
    cluster.moveLeader = async () => void (cluster.leader = 'm3');
    await expect(move()).rejects.toEqual(wardenError('defrag-failed', 'handed from m1 to m2, who does not have it'));
    expect(Date.now() - now.getTime()).toBeLessThan(20_000);
  });

  it('that the leader refuses is a failure, and is not asked for again', async () => {
    cluster.moveLeader = () => Promise.reject(refuses('etcd-call-failed', 'not leader'));
    await expect(move()).rejects.toEqual(wardenError('defrag-failed', 'from m1 to m2: not leader'));
    expect(cluster.sent()).toHaveLength(1);
  });

  it('ends when it is told to', async () => {
    cluster.moveLeader = async () => undefined;
    setTimeout(() => stop.abort(refuses('interrupted', 'ended by SIGTERM')), 1000);
    await expect(move()).rejects.toEqual(wardenError('interrupted'));
  });
});
