import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Parts } from '../../../src/agent/compose.ts';
import { JobRunner } from '../../../src/agent/daemon/job-runner.ts';
import { Knowledge } from '../../../src/agent/daemon/knowledge.ts';
import type { Order } from '../../../src/agent/daemon/lane.ts';
import type { Config } from '../../../src/config/schema.ts';
import { WardenError } from '../../../src/errors/warden-error.ts';
import { cluster as clusterFacts } from '../../defrag/cluster.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import { fieldsLog, repositoryNamed, type LoggedLine, type TestRepository } from '../../jobs/repositories.ts';
import { untilAborted } from '../../support/defrag-cluster.ts';
import { wardenError } from '../../support/errors.ts';
import { fakedClock, startTheClock, stopTheClock, toItsEnd } from '../../support/pass-time.ts';
import { placeAt, storeBackup } from '../../support/sample-backup.ts';
import { refuses } from '../../support/scripted-etcd.ts';
import { etcdAfter, memoryParts, recordedMeasures, type RecordedMeasures } from '../memory-parts.ts';

vi.mock('node:timers/promises', () => import('../../support/fake-delay.ts'));

const noon = new Date('2026-11-25T12:00:00Z');
const minuteMs = 60_000;
const config = configOf(`${minimalConfig}snapshot: {compression: none, maxStreamHold: 2m}\n`);

describe('The runner', () => {
  let local: TestRepository;
  let knowledge: Knowledge;
  let log: ReturnType<typeof fieldsLog>;
  let measures: RecordedMeasures;
  let runner: JobRunner;
  let current: Config;
  let ended: (readonly [Order, WardenError | undefined])[];
  let onEnded: (order: Order, error: WardenError | undefined) => void;
  /** What the look at the members does in each backup and defragmentation, in turn. */
  let looks: ((signal: AbortSignal) => Promise<void>)[];
  let changeParts: (parts: Parts) => Parts | Promise<Parts>;
  let opened: Config[];
  let released: number;

  beforeEach(() => {
    stopTheClock(noon);
    local = repositoryNamed('local');
    knowledge = new Knowledge();
    log = fieldsLog();
    measures = recordedMeasures();
    current = config;
    ended = [];
    onEnded = (...outcome) => void ended.push(outcome);
    looks = [];
    changeParts = (parts) => parts;
    [opened, released] = [[], 0];
    runner = new JobRunner({
      clock: fakedClock,
      log,
      measures,
      knowledge,
      config: () => current,
      open: async (asked, tellers) => {
        opened.push(asked);
        const etcd = etcdAfter(async (signal) => looks.shift()?.(signal));
        const release = { [Symbol.asyncDispose]: async () => void (released += 1) };
        return changeParts(memoryParts({ ...tellers, etcd, repositories: [local], ...release }));
      },
      onEnded: (order, error) => onEnded(order, error),
    });
  });
  afterEach(async () => {
    await toItsEnd(runner[Symbol.asyncDispose]());
    startTheClock();
  });

  const order = (job: Order['job'], minute = 0): Order => ({
    job,
    occurrence: new Date(noon.getTime() + minute * minuteMs),
    isShownAgain: false,
    attempt: 0,
  });
  const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
  /** Requests a run for now and gives it ten seconds. */
  async function run(job: Order['job'] = 'backup'): Promise<void> {
    runner.request({ ...order(job), occurrence: new Date() });
    await pass(10_000);
  }
  const results = (job = 'backup'): unknown[] =>
    measures.of('jobEnded').flatMap(([ran, facts]) => (ran === job ? [(facts as { result: string }).result] : []));
  const linesOf = (text: string): LoggedLine[] => log.lines.filter(([, message]) => message === text);
  const ok = async (): Promise<void> => undefined;
  const fail = (): Promise<never> => Promise.reject(refuses('etcd-unreachable', 'nobody answers'));
  const takes = (ms: number) => (): Promise<void> => new Promise((done) => setTimeout(done, ms));

  it('tells metrics, knowledge and log of a run from its beginning to its end', async () => {
    looks = [takes(1500)];
    runner.request(order('backup'));
    await pass(1000);
    expect(measures.told).toEqual([['jobStarted', 'backup']]);
    expect(knowledge.running).toMatchObject([{ job: 'backup', since: noon, stage: 'asking the members' }]);
    await pass(10_000);
    expect(measures.of('jobEnded')).toEqual([
      ['backup', { result: 'succeeded', seconds: expect.any(Number) as number, at: expect.any(Date) as Date }],
    ]);
    expect(knowledge.running).toEqual([]);
    const done = { job: 'backup', for: '2026-11-25T12:00:00Z', seconds: 1.5 };
    expect(linesOf('done')).toEqual([
      ['info', 'done', { ...done, did: expect.stringMatching(/-r8-\w+ in local$/) as string }],
    ]);
    expect(ended).toEqual([[order('backup'), undefined]]);
  });

  it('opens parts anew for each run, by the configuration of that moment, and releases them', async () => {
    await run();
    current = configOf(`${minimalConfig}snapshot: {compression: none}\n`);
    await run();
    expect([opened, released]).toEqual([[config, current], 2]);
  });

  it('releases them where the run fails as well', async () => {
    looks = [fail];
    await run();
    expect([results(), released]).toEqual([['failed'], 1]);
  });

  it('fails a run whose parts cannot be had, and does the next one', async () => {
    changeParts = () => Promise.reject(refuses('secret-unreadable', 'the key file is gone'));
    await run();
    changeParts = (parts) => parts;
    await run();
    expect(results()).toEqual(['usage', 'succeeded']);
    expect(ended[0]?.[1]).toEqual(wardenError('secret-unreadable'));
  });

  it('logs a failure once for each change of state, and measures every one', async () => {
    const otherwise = (): Promise<never> => Promise.reject(refuses('etcd-deadline', 'too slow'));
    looks = [fail, fail, otherwise, ok, fail];
    for (let time = 0; time < 5; time += 1) await run();
    expect(results()).toEqual(['failed', 'failed', 'failed', 'succeeded', 'failed']);
    expect(linesOf('failed').map(([level, , fields]) => [level, fields?.['code']])).toEqual([
      ['error', 'etcd-unreachable'],
      ['debug', 'etcd-unreachable'],
      ['error', 'etcd-deadline'],
      ['error', 'etcd-unreachable'],
    ]);
    expect(linesOf('done, for the first time since it failed')).toHaveLength(1);
  });

  // field: F170
  it('tells of a failure its code, its reason, what lies behind it and what to do', async () => {
    const cause = Object.assign(new Error(''), { code: 'ECONNREFUSED' });
    const error = new WardenError('etcd-unreachable', 'nobody answers', { cause });
    looks = [() => Promise.reject(error)];
    await run();
    expect(linesOf('failed')[0]?.[2]).toMatchObject({
      job: 'backup',
      for: '2026-11-25T12:00:00Z',
      code: 'etcd-unreachable',
      reason: 'nobody answers',
      causes: ['Error ECONNREFUSED'],
      hint: error.hint,
    });
    expect(knowledge.failures).toMatchObject([{ job: 'backup', code: 'etcd-unreachable', times: 1 }]);
  });

  it('writes warnings of a run once while they last', async () => {
    changeParts = ({ log: told, ...parts }) => {
      told.warn('member skipped', { member: 'm3' });
      return { ...parts, log: told };
    };
    await run();
    await run();
    await run('prune');
    expect(linesOf('member skipped').map(([level]) => level)).toEqual(['warn', 'debug', 'warn']);
  });

  it('measures what was left out, and tells of routine at level debug only', async () => {
    await storeBackup(local.store, placeAt('2026-11-25T12:00:00Z'));
    await run('backup');
    await run('defrag');
    expect(measures.of('jobSkipped')).toEqual([
      ['backup', 'served'],
      ['defrag', 'nothing'],
    ]);
    expect(linesOf('nothing had to be done').map(([level, , fields]) => [level, fields?.['job']])).toEqual([
      ['info', 'backup'],
      ['debug', 'defrag'],
    ]);
  });

  it('notes what no repository tells as an event', async () => {
    await run('backup');
    expect(knowledge.events).toEqual([]);
    looks = [fail];
    await run('backup');
    expect(knowledge.events).toMatchObject([{ kind: 'failed', text: 'backup: nobody answers', repository: undefined }]);
  });

  it('refuses a run of a job that is under way, and says so', async () => {
    looks = [takes(minuteMs)];
    await run();
    runner.request(order('backup', 1));
    expect(measures.of('jobSkipped')).toEqual([['backup', 'running']]);
    expect(linesOf('a run was left out: the one before is under way')).toEqual([
      ['info', expect.anything(), { job: 'backup', for: '2026-11-25T12:01:00Z' }],
    ]);
    await pass(minuteMs);
    expect(results()).toEqual(['succeeded']);
  });

  it('never works at once on the cluster for two jobs, and does the backup first', async () => {
    looks = [takes(minuteMs), ok, ok];
    runner.request(order('defrag'));
    await pass(1000);
    runner.request(order('defrag', 1));
    for (const minute of [0, 1]) runner.request(order('backup', minute));
    // What is tried again had its run.
    runner.request({ ...order('backup', 1), attempt: 1 });
    runner.request(order('backup', 2));
    expect(measures.of('jobSkipped').map(String)).toEqual(['defrag,running', 'backup,merged', 'backup,merged']);
    expect(knowledge.running.map(({ job }) => job)).toEqual(['defrag']);
    await pass(2 * minuteMs);
    expect(measures.of('jobStarted')).toEqual([['defrag'], ['backup']]);
  });

  it('reads and clears repositories beside a backup, one of the two at a time', async () => {
    looks = [takes(minuteMs)];
    for (const job of ['backup', 'verify', 'prune'] as const) runner.request(order(job));
    await pass(10_000);
    expect(knowledge.running.map(({ job }) => job)).toEqual(['backup']);
    const kinds = measures.told.flatMap(([event, job]) => (event.startsWith('job') ? [`${event} ${String(job)}`] : []));
    expect(kinds.filter((kind) => !kind.includes('backup'))).toEqual([
      'jobStarted verify',
      'jobSkipped verify',
      'jobEnded verify',
      'jobStarted prune',
      'jobEnded prune',
    ]);
  });

  describe('and the deadline', () => {
    beforeEach(() => {
      // Ten minutes, whatever the size.
      knowledge.members = { seenAt: noon, facts: clusterFacts([{ dbSizeBytes: 0 }]) };
    });

    it('ends a run that takes longer, with the reason, and does the next one', async () => {
      looks = [untilAborted];
      runner.request(order('backup'));
      await pass(10 * minuteMs - 1);
      expect(results()).toEqual([]);
      await pass(1);
      expect(ended).toEqual([[order('backup'), wardenError('run-too-long', 'the backup did not end within 600 s')]]);
      await run();
      expect(results()).toEqual(['failed', 'succeeded']);
    });

    it('knows of a run that does not heed it two minutes later, and of none that does', async () => {
      looks = [takes(20 * minuteMs)];
      runner.request(order('backup'));
      await pass(12 * minuteMs);
      expect(runner.stuckBecause).toBeUndefined();
      await pass(1);
      expect(runner.stuckBecause).toBe('the backup outlived its deadline and does not end');
      await pass(9 * minuteMs);
      expect([runner.stuckBecause, results()]).toEqual([undefined, ['failed']]);
      await pass(60 * minuteMs);
      expect(runner.stuckBecause).toBeUndefined();
    });
  });

  describe('that ends', () => {
    const reason = refuses('interrupted', 'ended by SIGTERM');

    it('tells what runs why, waits until it has released everything, and begins nothing more', async () => {
      looks = [untilAborted, ok];
      runner.request(order('backup'));
      runner.request(order('defrag'));
      await pass(1000);
      await runner.end(reason);
      expect(released).toBe(1);
      expect(ended).toEqual([[order('backup'), reason]]);
      expect(measures.of('jobStarted')).toEqual([['backup']]);
      expect(results()).toEqual(['interrupted']);
    });

    it('takes what comes due meanwhile for no run that was left out: none was under way', async () => {
      await runner.end(reason);
      runner.request(order('prune'));
      expect([measures.told, log.lines]).toEqual([[], []]);
    });
  });

  it('tells of a defect in itself', async () => {
    onEnded = () => {
      throw new Error('a defect');
    };
    const failed = runner.failed.catch((error: unknown) => error);
    await run();
    expect(await failed).toEqual(new Error('a defect'));
  });
});
