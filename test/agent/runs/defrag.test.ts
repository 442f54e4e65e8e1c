import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runDefrag } from '../../../src/agent/runs/defrag.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import { GiB, liveCluster, MiB, requireNothingOpen, type LiveCluster } from '../../support/defrag-cluster.ts';
import { wardenError } from '../../support/errors.ts';
import { createMemoryLock } from '../../support/memory-lock.ts';
import { startTheClock, stopTheClock, toItsEnd } from '../../support/pass-time.ts';
import { refuses } from '../../support/scripted-etcd.ts';
import { memoryParts, recordedMeasures, type RecordedMeasures } from '../memory-parts.ts';

vi.mock('node:timers/promises', () => import('../../support/fake-delay.ts'));

describe('Defragmenting as the configuration says', () => {
  let cluster: LiveCluster;
  let measures: RecordedMeasures;

  beforeEach(() => {
    stopTheClock(new Date('2026-11-25T12:00:00Z'));
    cluster = liveCluster();
    measures = recordedMeasures();
  });
  afterEach(() => {
    startTheClock();
    requireNothingOpen(cluster);
  });

  function run(sections = ''): ReturnType<typeof runDefrag> {
    const parts = memoryParts({ etcd: cluster.etcd, metrics: cluster.metrics, lock: createMemoryLock(), measures });
    const request = { forceRule: false, acceptUnsafeVersion: false };
    const config = configOf(`${minimalConfig}${sections}`);
    return toItsEnd(runDefrag(parts, config, request, new AbortController().signal));
  }
  const measured = (): unknown[] => measures.of('memberDefragmented').map(([member]) => member);

  it('takes every member that is due, and measures what came back', async () => {
    const { run: done, error } = await run();
    expect([done.members.map(({ name }) => name), error]).toEqual([['m2', 'm3', 'm1'], undefined]);
    expect(measures.of('memberDefragmented')[0]).toEqual([
      'm2',
      { seconds: expect.any(Number) as number, reclaimedBytes: 768 * MiB },
    ]);
  });

  it('goes by its rules', async () => {
    const { run: done } = await run('defrag: {rules: [{dbSizeAbove: 2GiB}]}\n');
    expect([done.members, cluster.sent(), measures.told]).toEqual([[], [], []]);
  });

  it('is partly done where it stopped after some, which are measured all the same', async () => {
    cluster.member('m3').defragment = () => Promise.reject(refuses('defrag-failed', 'no room'));
    const { error } = await run();
    expect(error).toEqual(wardenError('partly-defragmented', 'm2 done, then: '));
    expect(measured()).toEqual(['m2', 'm3']);
  });

  it('fails with what stopped it where nothing was done', async () => {
    cluster.member('m3').silent = refuses('etcd-unreachable', 'refused');
    const { error } = await run();
    expect([error, measures.told]).toEqual([wardenError('defrag-refused', 'm3'), []]);
  });

  it('looks for a recent backup where one is required', async () => {
    const { error } = await run('defrag: {requireBackupWithin: 1d}\n');
    expect(error).toEqual(wardenError('defrag-refused', 'backup'));
    expect(cluster.member('m1').status.dbSizeBytes).toBe(GiB);
  });
});
