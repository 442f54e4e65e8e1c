import { beforeEach, describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/adapters/observability/metrics.ts';
import type { Parts } from '../../src/agent/compose.ts';
import { withMeasures, type Outlet } from '../../src/agent/hand-on-metrics.ts';
import { WardenError } from '../../src/errors/warden-error.ts';
import type { FactGroup } from '../../src/ports/metrics-export.ts';
import { configOf, minimalConfig } from '../config/minimal-config.ts';
import { recordingLog, repositoryNamed } from '../jobs/repositories.ts';

const go = new AbortController().signal;

describe('A one-shot run whose metrics are handed on', () => {
  let delivered: readonly FactGroup[];
  let log: ReturnType<typeof recordingLog>;

  beforeEach(() => {
    delivered = [];
    log = recordingLog();
  });

  const keeping: Outlet = {
    name: 'a keeper',
    check: async () => undefined,
    deliver: async (groups) => void (delivered = groups),
  };

  const run = (
    outlets: readonly Outlet[],
    work: () => Promise<{ error?: WardenError; result?: string }>,
    signal = go,
  ) => {
    const measures = createMetrics({ cluster: 'prod', version: '1' });
    const clock = { now: () => new Date('2026-11-26T00:00:00Z'), monotonicMs: () => performance.now() };
    const parts = { repositories: [repositoryNamed('local')], clock, log, measures } as unknown as Parts;
    return withMeasures({ job: 'backup', config: configOf(minimalConfig), parts, measures, outlets }, signal, work);
  };

  const factsOf = (name: string): readonly number[] =>
    delivered.flatMap(({ families }) =>
      families.filter((family) => family.name === name).flatMap(({ samples }) => samples.map(({ value }) => value)),
    );

  it('tells when it last succeeded, and what the repositories hold after it', async () => {
    await run([keeping], async () => ({ result: 'stored' }));
    expect(factsOf('etcd_warden_job_last_success_timestamp_seconds')).toEqual([
      Date.parse('2026-11-26T00:00:00Z') / 1000,
    ]);
    expect(factsOf('etcd_warden_job_last_run_successful')).toEqual([1]);
    expect(delivered.map(({ about }) => about)).toEqual(['job', 'repository']);
  });

  it.each([
    ['returned', async () => ({ error: new WardenError('repositories-failed', 'one failed') })],
    ['thrown', async () => Promise.reject(new WardenError('etcd-unreachable', 'nobody there'))],
  ])('says nothing of the last success where an error was %s', async (_, work) => {
    await run([keeping], work).catch(() => undefined);
    expect(factsOf('etcd_warden_job_last_run_successful')).toEqual([0]);
    expect(factsOf('etcd_warden_job_last_success_timestamp_seconds')).toEqual([]);
  });

  // field: F164
  it('is as good as it was where an outlet fails, with a warning', async () => {
    const failing: Outlet = {
      ...keeping,
      name: 'the Pushgateway',
      deliver: () => Promise.reject(new WardenError('push-failed', 'it answered 500')),
    };
    expect(await run([failing, keeping], async () => ({ result: 'stored' }))).toEqual({ result: 'stored' });
    expect(log.lines).toEqual(['warn metrics did not reach the Pushgateway']);
    expect(factsOf('etcd_warden_job_last_run_successful')).toEqual([1]);
  });

  it('does not begin where an outlet cannot be used at all', async () => {
    const unwritable: Outlet = {
      ...keeping,
      check: () => Promise.reject(new WardenError('textfile-unwritable', 'no folder')),
    };
    let began = false;
    const work = async (): Promise<object> => ((began = true), {});
    await expect(run([unwritable], work)).rejects.toThrow('no folder');
    expect(began).toBe(false);
  });

  it('tells that it was interrupted, and looks at nothing any more', async () => {
    const stop = new AbortController();
    const work = (): Promise<never> => {
      stop.abort(new WardenError('interrupted', 'ended by SIGTERM'));
      return Promise.reject(new Error('whatever came of it'));
    };
    await run([keeping], work, stop.signal).catch(() => undefined);
    expect(factsOf('etcd_warden_job_last_run_successful')).toEqual([0]);
    expect(delivered.map(({ about }) => about)).toEqual(['job']);
  });
});
