import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { waitUntilServing } from '../../src/members/settle.ts';
import { now } from '../defrag/cluster.ts';
import { liveCluster, untilAborted, type LiveCluster, type LiveMember } from '../support/defrag-cluster.ts';
import { fakedClock, startTheClock, stopTheClock, toItsEnd } from '../support/pass-time.ts';
import { refuses } from '../support/scripted-etcd.ts';

vi.mock('node:timers/promises', () => import('../support/fake-delay.ts'));

describe('Waiting until a member serves again', () => {
  let cluster: LiveCluster;
  let m1: LiveMember;
  let stop: AbortController;

  beforeEach(() => {
    stopTheClock(now);
    cluster = liveCluster([{}]);
    m1 = cluster.member('m1');
    stop = new AbortController();
  });

  afterEach(() => startTheClock());

  async function wait(limitMs = 60_000, metrics = cluster.metrics): Promise<{ serves: boolean; tookMs: number }> {
    const startedMs = Date.now();
    const { members } = await cluster.etcd.discover(stop.signal);
    const [member] = members;
    if (member === undefined) throw new Error('there is no member');
    await using client = cluster.etcd.connect(member);
    const status = await toItsEnd(waitUntilServing(client, metrics, fakedClock, limitMs, stop.signal));
    return { serves: status !== undefined, tookMs: Date.now() - startedMs };
  }

  it('is over at once where it does', async () => {
    expect(await wait()).toMatchObject({ serves: true });
  });

  // BC-10
  it('is not over by a status alone, which is answered from memory', async () => {
    m1.noRead = refuses('etcd-deadline');
    expect(await wait(5000)).toMatchObject({ serves: false });
  });

  // BC-10
  it('is not over while its metrics say that it is at work, though reads go through', async () => {
    m1.metrics = { isDefragmenting: true };
    setTimeout(() => (m1.metrics = {}), 7000);
    const { serves, tookMs } = await wait();
    expect(serves).toBe(true);
    expect(tookMs).toBeGreaterThanOrEqual(7000);
  });

  // BC-10
  it('is not over while its metrics cannot be read, where they are to be read', async () => {
    m1.metrics = refuses('etcd-unreachable');
    setTimeout(() => (m1.metrics = {}), 3000);
    const { serves, tookMs } = await wait();
    expect(serves).toBe(true);
    expect(tookMs).toBeGreaterThanOrEqual(3000);
  });

  it('trusts the read alone where metrics are off', async () => {
    m1.metrics = 'off';
    expect(await wait()).toMatchObject({ serves: true });
    m1.noRead = refuses('etcd-deadline');
    expect(await wait(2000)).toMatchObject({ serves: false });
  });

  it('gives up soon after the limit', async () => {
    m1.silent = refuses('etcd-unreachable');
    const { serves, tookMs } = await wait(30_000);
    expect(serves).toBe(false);
    expect(tookMs).toBeGreaterThanOrEqual(30_000);
    expect(tookMs).toBeLessThan(32_000);
  });

  it('ends when it is told to, also in the middle of a question', async () => {
    const endless = { read: (_: unknown, signal: AbortSignal) => untilAborted(signal) };
    setTimeout(() => stop.abort(refuses('interrupted', 'ended by SIGTERM')), 1000);
    await expect(wait(60_000, endless)).rejects.toThrow('ended by SIGTERM');
  });
});
