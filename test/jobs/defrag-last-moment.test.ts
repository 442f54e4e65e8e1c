import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DefragRecords } from '../../src/ports/defrag-records.ts';
import { now } from '../defrag/cluster.ts';
import { liveCluster, requireNothingOpen, shrink, type LiveCluster } from '../support/defrag-cluster.ts';
import { wardenError } from '../support/errors.ts';
import { createMemoryDefragRecords } from '../support/memory-lock.ts';
import { startTheClock, stopTheClock } from '../support/pass-time.ts';
import { refuses } from '../support/scripted-etcd.ts';
import { runAt } from './defrag-run.ts';

vi.mock('node:timers/promises', () => import('../support/fake-delay.ts'));

describe('At the last moment before a call nothing is sent where', () => {
  let cluster: LiveCluster;

  beforeEach(() => {
    stopTheClock(now);
    cluster = liveCluster();
  });

  afterEach(() => {
    startTheClock();
    requireNothingOpen(cluster);
  });

  /** Records whose last reading, which comes after the last look, is preceded by `during`. */
  function recordsWith(during: (records: DefragRecords, signal: AbortSignal) => Promise<void> | void): DefragRecords {
    const records = createMemoryDefragRecords();
    let readings = 0;
    return {
      write: (id, record, signal) => records.write(id, record, signal),
      readAll: async (signal) => {
        readings += 1;
        if (readings === 2) await during(records, signal);
        return records.readAll(signal);
      },
    };
  }

  it('the member has become smaller, which only another run can have done', async () => {
    const test = runAt(cluster);
    test.onStage = () => shrink(cluster.member('m2'));
    const run = await test.run();
    expect([cluster.sent(), run.stoppedBy]).toEqual([
      [],
      wardenError('defrag-refused', 'defrag-running', 'somebody else has just defragmented m2'),
    ]);
  });

  it('another run has announced itself for the same member', async () => {
    const others = { at: new Date(now.getTime() + 1), beforeBytes: 2 ** 30, afterBytes: undefined, durationMs: 0 };
    const records = recordsWith((all, signal) => all.write(2n, { ...others, failures: 1 }, signal));
    const run = await runAt(cluster, { records }).run();
    expect([cluster.sent(), run.stoppedBy]).toEqual([
      [],
      wardenError('defrag-refused', 'another run is about to defragment m2'),
    ]);
    // It is the other run's by now.
    expect((await records.readAll(new AbortController().signal)).get(2n)).toEqual({ ...others, failures: 1 });
  });

  it('a voter has stopped serving since the last look', async () => {
    const records = recordsWith(() => void (cluster.member('m3').noRead = refuses('etcd-no-leader')));
    const run = await runAt(cluster, { records }).run();
    expect([cluster.sent(), run.stoppedBy]).toEqual([
      [],
      wardenError('defrag-refused', 'unreachable-voter', 'through m3 at the last moment'),
    ]);
  });

  // BC-15
  it('there is no lock and a voter cannot be seen', async () => {
    cluster.alarms = [{ memberId: 2n, type: 'NOSPACE' }];
    cluster.member('m3').metrics = 'off';
    const test = runAt(cluster);
    test.lock.failWith('database space exceeded');
    const run = await test.run();
    expect([cluster.sent().filter((sent) => sent.startsWith('defragment')), run.stoppedBy]).toEqual([
      [],
      wardenError('defrag-refused', 'no-lock', 'what m3 is doing cannot be seen'),
    ]);
  });
});
