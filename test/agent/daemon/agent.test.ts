import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readCatalogue } from '../../../src/repository/catalogue.ts';
import { untilAborted } from '../../support/defrag-cluster.ts';
import { startTheClock, stopTheClock, toItsEnd } from '../../support/pass-time.ts';
import { cluster } from '../../support/sample-backup.ts';
import { refuses } from '../../support/scripted-etcd.ts';
import { type AgentAtWork, configWith, startAgent } from './agent-at-work.ts';
import { setStage, type Stage, takes } from './stage.ts';

vi.mock('node:timers/promises', () => import('../../support/fake-delay.ts'));

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const start = new Date('2026-11-25T12:10:00Z');
const every10 = 'backup: {cron: "*/10 * * * *", jitter: 0s, missed: skip}';

describe('The daemon', () => {
  let stack: AsyncDisposableStack;
  let stage: Stage;

  beforeEach(() => {
    stopTheClock(start);
    stack = new AsyncDisposableStack();
    stage = setStage();
  });
  afterEach(async () => {
    await toItsEnd(stack.disposeAsync());
    startTheClock();
  });

  const daemon = (schedules = every10, sections = ''): Promise<AgentAtWork> =>
    startAgent(stack, configWith(schedules, sections), stage.open);
  const backupTimes = async (): Promise<string[]> =>
    (await readCatalogue(stage.local.store, cluster, undefined, new AbortController().signal)).entries
      .map(({ place }) => place.id.time.toISOString().slice(11, 19))
      .reverse();
  const resultsOf = ({ measures }: AgentAtWork): unknown[] =>
    measures.of('jobEnded').map(([, facts]) => (facts as { result: string }).result);
  const ok = async (): Promise<void> => undefined;
  const fail = (): Promise<never> => Promise.reject(refuses('etcd-permission-denied', 'no root role'));

  it('runs a job each time it comes due, once', async () => {
    const agent = await daemon();
    await agent.pass(30 * minuteMs + 2000);
    expect(await backupTimes()).toEqual(['12:20:00', '12:30:00', '12:40:00']);
    expect(resultsOf(agent)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(agent.logged('done').map((fields) => fields?.['for'])).toEqual([
      '2026-11-25T12:20:00Z',
      '2026-11-25T12:30:00Z',
      '2026-11-25T12:40:00Z',
    ]);
  });

  it('only watches where nothing is scheduled', async () => {
    const agent = await daemon('');
    await agent.pass(hourMs);
    expect(agent.measures.of('jobStarted')).toEqual([]);
    expect(agent.measures.of('repositoryListed').length).toBe(13);
    expect(agent.measures.of('membersSeen').length).toBe(121);
  });

  it('looks at the repositories as soon as a run has ended', async () => {
    const agent = await daemon();
    await agent.pass(10 * minuteMs + 2000);
    expect(agent.measures.of('repositoryListed').at(-1)).toMatchObject([
      'local',
      { newestBackupAt: new Date('2026-11-25T12:20:00Z') },
    ]);
  });

  it('looks at the members as soon as they may have been defragmented', async () => {
    const agent = await daemon('defrag: {cron: "*/10 * * * *"}', 'watch: {members: 1h}\n');
    await agent.pass(9 * minuteMs);
    expect(agent.measures.of('membersSeen')).toHaveLength(1);
    await agent.pass(2 * minuteMs);
    expect(agent.measures.of('membersSeen')).toHaveLength(2);
  });

  it('tries a failed run again within its interval', async () => {
    const agent = await daemon();
    stage.runs = [fail, fail];
    await agent.pass(20 * minuteMs + 2000);
    expect(resultsOf(agent)).toEqual(['failed', 'failed', 'succeeded', 'succeeded']);
    expect(await backupTimes()).toEqual(['12:21:30', '12:30:00']);
    expect(agent.log.filter(([, text]) => text === 'failed').map(([level]) => level)).toEqual(['error', 'debug']);
  });

  // field: F149
  it('runs after a run that failed and after one that hung until its deadline', async () => {
    const agent = await daemon();
    stage.runs = [ok, () => Promise.reject(new TypeError('undefined is not a function')), untilAborted, ok];
    // The second is left to its next time: as long as it is tried again, it is the third.
    await agent.pass(10 * minuteMs + 2000);
    expect(resultsOf(agent)).toEqual(['succeeded']);
    await agent.pass(10 * minuteMs);
    expect(resultsOf(agent)).toEqual(['succeeded', 'failed']);
    await agent.pass(11 * minuteMs);
    expect(resultsOf(agent)).toEqual(['succeeded', 'failed', 'failed']);
    expect(agent.logged('failed').map((fields) => fields?.['code'])).toEqual(['internal', 'run-too-long']);
    await agent.pass(10 * minuteMs);
    expect(resultsOf(agent).slice(0, 4)).toEqual(['succeeded', 'failed', 'failed', 'succeeded']);
    expect(stage.mostAtWork).toBe(1);
  });

  // field: F149
  it('leaves out what comes due while a run of two and a half periods is under way, and counts it', async () => {
    const agent = await daemon('backup: {cron: "*/2 * * * *", jitter: 0s, missed: skip}');
    stage.runs = [takes(5 * minuteMs)];
    await agent.pass(6 * minuteMs + 30_000);
    expect(agent.measures.of('jobSkipped')).toEqual([
      ['backup', 'running'],
      ['backup', 'running'],
    ]);
    expect(agent.measures.of('jobStarted')).toHaveLength(1);
    await agent.pass(2 * minuteMs);
    expect([agent.measures.of('jobStarted').length, stage.mostAtWork]).toEqual([2, 1]);
    expect(resultsOf(agent)).toEqual(['succeeded', 'succeeded']);
  });

  it('takes every backup that is due while a clock that went back by an hour catches up', async () => {
    const agent = await daemon();
    await agent.pass(hourMs);
    expect(await backupTimes()).toHaveLength(6);
    agent.setClock(-hourMs);
    await agent.pass(hourMs);
    expect(agent.logged('the clock was changed')).toEqual([{ by: '-1h 0m' }]);
    expect(agent.measures.of('clockJumped')).toHaveLength(1);
    expect(await backupTimes()).toHaveLength(12);
    expect(agent.measures.of('jobSkipped')).toEqual([]);
  });

  it('makes up for all of a jump forward with one run', async () => {
    const agent = await daemon('backup: {cron: "*/30 * * * *", jitter: 0s}');
    await agent.pass(minuteMs);
    agent.setClock(24 * hourMs);
    await agent.pass(minuteMs);
    expect(await backupTimes()).toEqual(['12:10:00', '12:11:01']);
    expect(agent.measures.of('clockJumped')).toHaveLength(1);
  });
});
