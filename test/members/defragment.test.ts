import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { planDefrag } from '../../src/defrag/plan-defrag.ts';
import { defragment, type DefraggedMember } from '../../src/members/defragment.ts';
import { lookAtCluster } from '../../src/members/look.ts';
import type { DefragRecord } from '../../src/ports/defrag-records.ts';
import { defaults, hourMs, now, plain } from '../defrag/cluster.ts';
import { fieldsLog } from '../jobs/repositories.ts';
import {
  GiB,
  liveCluster,
  requireNothingOpen,
  shrink,
  untilAborted,
  type LiveCluster,
  type LiveMember,
} from '../support/defrag-cluster.ts';
import { wardenError } from '../support/errors.ts';
import { fakedClock, startTheClock, stopTheClock, toItsEnd } from '../support/pass-time.ts';
import { refuses } from '../support/scripted-etcd.ts';
import { WardenError } from '../../src/errors/warden-error.ts';

vi.mock('node:timers/promises', () => import('../support/fake-delay.ts'));

/** A minute, and what 1 GiB takes at 10 MB/s. */
const patienceMs = 60_000 + Math.ceil(GiB / 10_000);

describe('Defragmenting a member', () => {
  let cluster: LiveCluster;
  let m2: LiveMember;
  let stop: AbortController;
  let written: (DefragRecord & { readonly commands: number })[];
  let lookOnceMore: () => Promise<void>;
  let write: (signal: AbortSignal) => Promise<void>;

  beforeEach(() => {
    stopTheClock(now);
    cluster = liveCluster();
    m2 = cluster.member('m2');
    stop = new AbortController();
    written = [];
    write = async () => undefined;
    lookOnceMore = async () => undefined;
  });

  afterEach(() => {
    startTheClock();
    requireNothingOpen(cluster);
    if (cluster.sent().length > 1) throw new Error('the call was sent more than once');
  });

  async function run(earlier: ReadonlyMap<bigint, DefragRecord> = new Map()): Promise<DefraggedMember> {
    const { etcd, metrics } = cluster;
    const options = { quotaBytes: undefined, records: earlier };
    await using look = await lookAtCluster({ etcd, metrics, clock: fakedClock }, options, stop.signal);
    const [step] = planDefrag(defaults, look.facts, { ...plain, only: 'm2', forceRule: true }).steps;
    if (step === undefined) throw new Error('m2 is not due');
    const records = {
      readAll: async () => new Map([...earlier, ...written.map((record) => [2n, record] as const)]),
      write: async (_: bigint, record: DefragRecord, signal: AbortSignal) => {
        await write(signal);
        written.push({ ...record, commands: cluster.sent().length });
      },
    };
    const parts = { metrics, records, clock: fakedClock, log: fieldsLog() };
    return await toItsEnd(defragment(step, look, parts, lookOnceMore, stop.signal));
  }

  const endBySignal = (): void => stop.abort(refuses('interrupted', 'ended by SIGTERM'));
  /** The member works for so long, however the call ends. */
  const worksFor = (workMs: number) => (timeoutMs: number, signal: AbortSignal) => {
    m2.noRead = refuses('etcd-deadline', 'the database is locked');
    m2.metrics = { isDefragmenting: true };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    setTimeout(() => {
      shrink(m2);
      m2.noRead = undefined;
      m2.metrics = {};
      resolve();
    }, workMs);
    setTimeout(() => reject(refuses('etcd-deadline', 'no answer in time')), timeoutMs);
    return Promise.race([promise, untilAborted(signal)]);
  };

  it('sends the call once, with time for its size, and tells what came back', async () => {
    m2.defragment = worksFor(20_000);
    expect(await run()).toEqual({
      name: 'm2',
      beforeBytes: GiB,
      afterBytes: GiB / 4,
      durationMs: 20_000,
      outlastedCall: false,
      error: undefined,
    });
    expect(cluster.etcd.commands.map(({ request }) => request)).toEqual([{ timeoutMs: patienceMs }]);
  });

  // field: F068
  it('writes down the attempt as a failed one before the call, and what came of it after', async () => {
    const earlier = {
      at: new Date(now.getTime() - 9 * hourMs),
      beforeBytes: 1,
      afterBytes: 1,
      durationMs: 1,
      failures: 2,
    };
    await run(new Map([[2n, earlier]]));
    expect(written).toEqual([
      { at: now, beforeBytes: GiB, afterBytes: undefined, durationMs: 0, failures: 3, commands: 0 },
      {
        at: now,
        beforeBytes: GiB,
        afterBytes: GiB / 4,
        durationMs: expect.any(Number) as number,
        failures: 0,
        commands: 1,
      },
    ]);
  });

  it('of which the file gets no smaller is a good one', async () => {
    m2.defragment = async () => undefined;
    expect(await run()).toMatchObject({ afterBytes: GiB, error: undefined });
    expect(written.at(-1)).toMatchObject({ failures: 0 });
  });

  // field: F067
  // BC-10
  it('that outlasts its call is waited for and judged by its size', async () => {
    m2.defragment = worksFor(patienceMs + 30_000);
    const done = await run();
    expect(done).toMatchObject({ afterBytes: GiB / 4, outlastedCall: true, error: undefined });
    expect(done.durationMs).toBeGreaterThanOrEqual(patienceMs + 30_000);
    expect(written.at(-1)).toMatchObject({ failures: 0 });
  });

  // BC-10
  it('whose connection was lost is waited for and judged by its size', async () => {
    m2.defragment = async (timeoutMs, signal) => {
      void worksFor(30_000)(timeoutMs, signal);
      throw refuses('etcd-unreachable', 'the connection broke');
    };
    const done = await run();
    expect(done).toMatchObject({ afterBytes: GiB / 4, outlastedCall: true, error: undefined });
    expect(done.durationMs).toBeGreaterThanOrEqual(30_000);
  });

  // BC-37
  it('that crashed in the middle and came back as large as before has failed', async () => {
    m2.defragment = async () => {
      m2.silent = refuses('etcd-unreachable', 'connection refused');
      setTimeout(() => (m2.silent = undefined), 10_000);
      throw refuses('etcd-unreachable', 'the connection broke');
    };
    const { error, durationMs } = await run();
    expect(error).toEqual(wardenError('defrag-failed', 'm2 serves again and is no smaller', 'the connection broke'));
    expect(durationMs).toBeGreaterThanOrEqual(10_000);
    expect(written.at(-1)).toMatchObject({ failures: 1, afterBytes: undefined });
  });

  // field: F067
  // BC-10
  it('that never serves again is unfinished, however well it answers a status', async () => {
    m2.defragment = worksFor(24 * hourMs);
    const { error, afterBytes, durationMs } = await run();
    expect(error).toEqual(
      wardenError('defrag-unfinished', 'm2 was asked', 'does not serve again', 'no answer in time'),
    );
    expect(error?.details).toEqual({ member: 'm2', code: 'etcd-deadline' });
    expect(afterBytes).toBeUndefined();
    expect(durationMs).toBeLessThan(2 * patienceMs + 5000);
    expect(written.at(-1)).toMatchObject({ failures: 1, afterBytes: undefined });
  });

  it('that answers and then does not serve is unfinished too', async () => {
    m2.defragment = async () => void (m2.noRead = refuses('etcd-deadline'));
    expect((await run()).error).toEqual(wardenError('defrag-unfinished', 'm2 was asked'));
  });

  it('that etcd refuses has failed, and the reason is named', async () => {
    m2.defragment = () => Promise.reject(refuses('etcd-permission-denied', 'needs the root role'));
    const { error } = await run();
    expect(error).toEqual(wardenError('defrag-failed', 'm2 could not be defragmented: needs the root role'));
    expect(error?.details).toEqual({ member: 'm2', code: 'etcd-permission-denied' });
    expect(written.at(-1)).toMatchObject({ failures: 1 });
  });

  it('that could not even be asked has failed at once, because it is not at work', async () => {
    m2.defragment = () =>
      Promise.reject(
        new WardenError('etcd-deadline', 'no status; Defragment was not sent', { details: { sent: false } }),
      );
    const { error, outlastedCall, durationMs } = await run();
    expect(error).toEqual(wardenError('defrag-failed', 'm2 could not be asked', 'was not sent'));
    expect([outlastedCall, durationMs < 1000]).toEqual([false, true]);
    expect(written.at(-1)).toMatchObject({ at: new Date(0), failures: 0 });
  });

  // BC-11, BC-12
  it('is not begun where the last look finds something wrong, and then nothing is remembered against it', async () => {
    lookOnceMore = () => Promise.reject(refuses('defrag-refused', 'a snapshot is open'));
    await expect(run()).rejects.toEqual(wardenError('defrag-refused', 'a snapshot is open'));
    expect(cluster.sent()).toEqual([]);
    expect(written.at(-1)).toEqual({ at: new Date(0), beforeBytes: 0, durationMs: 0, failures: 0, commands: 0 });
    const earlier = { at: new Date(now.getTime() - hourMs), beforeBytes: 7, afterBytes: 5, durationMs: 0, failures: 0 };
    await expect(run(new Map([[2n, earlier]]))).rejects.toEqual(wardenError('defrag-refused'));
    expect(written.at(-1)).toEqual({ ...earlier, commands: 0 });
  });

  it.each([
    ['the lock was lost', new WardenError('lock-lost', 'gone')],
    [
      'somebody else defragments',
      new WardenError('defrag-refused', 'busy', { details: { because: 'defrag-running' } }),
    ],
  ])('leaves the record alone where %s meanwhile: it may be that of the other run', async (_, error) => {
    lookOnceMore = () => Promise.reject(error);
    await expect(run()).rejects.toBe(error);
    expect(written).toMatchObject([{ failures: 1 }]);
  });

  it('is begun right after the last look, whatever it took to write down the attempt', async () => {
    const order: string[] = [];
    write = async () => void order.push('record');
    lookOnceMore = async () => void order.push('look');
    m2.defragment = async () => void order.push('call');
    await run();
    expect(order).toEqual(['record', 'look', 'call', 'record']);
  });

  it('waits seconds at most until the attempt is written down', async () => {
    write = (signal) => (cluster.sent().length === 0 ? untilAborted(signal) : Promise.resolve());
    expect(await run()).toMatchObject({ error: undefined });
    expect(cluster.etcd.commands[0]?.atMs).toBeLessThan(now.getTime() + 3000);
  });

  it('goes on where nothing can be written down', async () => {
    write = () => Promise.reject(refuses('etcd-call-failed', 'database space exceeded'));
    expect(await run()).toMatchObject({ afterBytes: GiB / 4, error: undefined });
  });

  it('is not begun once the run was told to stop, even between the record and the call', async () => {
    write = async () => endBySignal();
    await expect(run()).rejects.toEqual(wardenError('interrupted', 'SIGTERM'));
    expect(cluster.sent()).toEqual([]);
  });

  it('that ends soon after the run was told to stop is told of as done', async () => {
    m2.defragment = worksFor(8000);
    setTimeout(endBySignal, 2000);
    const done = await run();
    expect(done).toMatchObject({ afterBytes: GiB / 4, outlastedCall: true, error: undefined });
    expect(written.at(-1)).toMatchObject({ failures: 0 });
  });

  it('that goes on after the run was told to stop is left unfinished within seconds, and written down so', async () => {
    m2.defragment = worksFor(hourMs);
    setTimeout(endBySignal, 2000);
    const { error } = await run();
    expect(error).toEqual(wardenError('defrag-unfinished', 'm2'));
    expect(Date.now() - now.getTime()).toBeLessThan(20_000);
    expect(written.at(-1)).toMatchObject({ failures: 1 });
  });

  it('that had outlasted its call when the run was told to stop is still looked at for seconds', async () => {
    m2.defragment = worksFor(patienceMs + 20_000);
    setTimeout(endBySignal, patienceMs + 15_000);
    expect(await run()).toMatchObject({ afterBytes: GiB / 4, error: undefined });
  });

  it('of which nobody knows whether the call arrived, because the run was told to stop, is not called done', async () => {
    m2.defragment = (_, signal) => untilAborted(signal);
    setTimeout(endBySignal, 5);
    const { error } = await run();
    expect(error).toEqual(wardenError('defrag-failed', 'no smaller'));
  });

  it('is told of even if the run is told to stop while its end is written down', async () => {
    write = async (signal) => {
      if (cluster.sent().length === 0) return;
      endBySignal();
      signal.throwIfAborted();
    };
    expect(await run()).toMatchObject({ afterBytes: GiB / 4, error: undefined });
    expect(written).toHaveLength(2);
  });

  it('is told of even if its end can be written down by nobody, after seconds', async () => {
    write = (signal) => (cluster.sent().length === 0 ? Promise.resolve() : untilAborted(signal));
    expect(await run()).toMatchObject({ afterBytes: GiB / 4, error: undefined });
    expect(Date.now() - now.getTime()).toBeLessThan(10_000);
  });
});
