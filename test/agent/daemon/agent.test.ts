import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Parts } from '../../../src/agent/compose.ts';
import type { ClusterLock } from '../../../src/ports/lock.ts';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { readCatalogue } from '../../../src/repository/catalogue.ts';
import { failingListing, repositoryNamed, type TestRepository } from '../../jobs/repositories.ts';
import { untilAborted } from '../../support/defrag-cluster.ts';
import { wardenError } from '../../support/errors.ts';
import { createMemoryLock } from '../../support/memory-lock.ts';
import { startTheClock, stopTheClock, toItsEnd } from '../../support/pass-time.ts';
import { cluster } from '../../support/sample-backup.ts';
import { refuses } from '../../support/scripted-etcd.ts';
import { listedBy, memoryParts } from '../memory-parts.ts';
import { type AgentAtWork, configWith, innerServer, startAgent } from './agent-at-work.ts';

vi.mock('node:timers/promises', () => import('../../support/fake-delay.ts'));

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const start = new Date('2026-11-25T12:10:00Z');
const every10 = 'backup: {cron: "*/10 * * * *", jitter: 0s, missed: skip}';

describe('The daemon', () => {
  let stack: AsyncDisposableStack;
  let local: TestRepository;
  /** What happens where each run takes the lock, in turn. */
  let runs: ((signal: AbortSignal) => Promise<void>)[];
  let list: ObjectStore['list'] | undefined;
  let atWork: number;
  let mostAtWork: number;
  let changeParts: (parts: Parts) => Parts;

  beforeEach(() => {
    stopTheClock(start);
    stack = new AsyncDisposableStack();
    local = repositoryNamed('local');
    runs = [];
    list = undefined;
    [atWork, mostAtWork] = [0, 0];
    changeParts = (parts) => parts;
  });
  afterEach(async () => {
    await toItsEnd(stack.disposeAsync());
    startTheClock();
  });

  function daemon(schedules = every10, sections = ''): Promise<AgentAtWork> {
    const lock = createMemoryLock();
    const acquire: ClusterLock['acquire'] = async (holder, signal) => {
      mostAtWork = Math.max(mostAtWork, (atWork += 1));
      try {
        await runs.shift()?.(signal);
      } finally {
        atWork -= 1;
      }
      return lock.acquire(holder, signal);
    };
    return startAgent(stack, configWith(schedules, sections), async (_, tellers) => {
      const repositories = [listedBy(local, () => list)];
      return changeParts(memoryParts({ ...tellers, repositories, lock: { acquire } }));
    });
  }
  const backupTimes = async (): Promise<string[]> =>
    (await readCatalogue(local.store, cluster, undefined, new AbortController().signal)).entries
      .map(({ place }) => place.id.time.toISOString().slice(11, 19))
      .reverse();
  const resultsOf = ({ measures }: AgentAtWork): unknown[] =>
    measures.of('jobEnded').map(([, facts]) => (facts as { result: string }).result);
  const ok = async (): Promise<void> => undefined;
  const fail = (): Promise<never> => Promise.reject(refuses('etcd-permission-denied', 'no root role'));
  const takes = (ms: number) => (): Promise<void> => new Promise((done) => setTimeout(done, ms));

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
    runs = [fail, fail];
    await agent.pass(20 * minuteMs + 2000);
    expect(resultsOf(agent)).toEqual(['failed', 'failed', 'succeeded', 'succeeded']);
    expect(await backupTimes()).toEqual(['12:21:30', '12:30:00']);
    expect(agent.log.filter(([, text]) => text === 'failed').map(([level]) => level)).toEqual(['error', 'debug']);
  });

  // field: F149
  it('runs after a run that failed and after one that hung until its deadline', async () => {
    const agent = await daemon();
    runs = [ok, () => Promise.reject(new TypeError('undefined is not a function')), untilAborted, ok];
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
    expect(mostAtWork).toBe(1);
  });

  // field: F149
  it('leaves out what comes due while a run of two and a half periods is under way, and counts it', async () => {
    const agent = await daemon('backup: {cron: "*/2 * * * *", jitter: 0s, missed: skip}');
    runs = [takes(5 * minuteMs)];
    await agent.pass(6 * minuteMs + 30_000);
    expect(agent.measures.of('jobSkipped')).toEqual([
      ['backup', 'running'],
      ['backup', 'running'],
    ]);
    expect(agent.measures.of('jobStarted')).toHaveLength(1);
    await agent.pass(2 * minuteMs);
    expect([agent.measures.of('jobStarted').length, mostAtWork]).toEqual([2, 1]);
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

  describe('that is told to end', () => {
    const told = refuses('interrupted', 'ended by SIGTERM');

    it('ends with the reason, at once where nothing runs, and serves no longer', async () => {
      const agent = await daemon();
      await agent.pass(minuteMs);
      agent.stop.abort(told);
      expect(await toItsEnd(agent.ended)).toBe(told);
      await expect(agent.ask('/livez')).rejects.toThrow('ECONNREFUSED');
      const looks = agent.measures.told.length;
      await agent.pass(hourMs);
      expect(agent.measures.told).toHaveLength(looks);
    });

    it('lets what runs release everything first, and tries nothing again', async () => {
      let isReleased = false;
      const agent = await daemon();
      runs = [
        async (signal) => {
          await untilAborted(signal).catch(() => undefined);
          await takes(5000)();
          isReleased = true;
          signal.throwIfAborted();
        },
      ];
      await agent.pass(10 * minuteMs + 2000);
      agent.stop.abort(told);
      const ended = agent.ended.then(() => isReleased);
      await agent.pass(1000);
      expect((await agent.ask('/livez')).status).toBe(200);
      expect(await toItsEnd(ended)).toBe(true);
      expect(resultsOf(agent)).toEqual(['interrupted']);
      expect([local.store.uploads.size, await backupTimes()]).toEqual([0, []]);
    });

    it('before it began, ends all the same', async () => {
      const stop = new AbortController();
      stop.abort(told);
      const agent = await startAgent(stack, configWith(every10), async (_, tellers) => memoryParts(tellers), stop);
      expect(await toItsEnd(agent.ended)).toBe(told);
    });
  });

  describe('of which a part dies', () => {
    it('ends with the reason, and with what it was doing: the server', async () => {
      const agent = await daemon();
      const inner = await innerServer(agent.address());
      runs = [untilAborted];
      await agent.pass(10 * minuteMs + 2000);
      inner.close();
      inner.closeAllConnections();
      expect(await toItsEnd(agent.ended)).toEqual(
        wardenError('agent-died', `a part of the daemon died: the HTTP server at ${agent.address()} stopped by itself`),
      );
      expect(agent.logged('failed').map((fields) => fields?.['code'])).toEqual(['agent-died']);
    });

    it('ends with the reason: a look', async () => {
      const agent = await daemon();
      changeParts = () => {
        throw new TypeError('undefined is not a function');
      };
      await agent.pass(minuteMs);
      expect(await toItsEnd(agent.ended)).toMatchObject({
        code: 'agent-died',
        message: 'a part of the daemon died: undefined is not a function',
        cause: new TypeError('undefined is not a function'),
      });
    });

    it.each([
      ['the schedule', 'clockJumped'],
      ['the runner', 'jobEnded'],
    ])('ends with the reason: %s', async (_, event) => {
      const agent = await daemon();
      const { told } = agent.measures;
      told.push = (...more) => {
        if (more.some(([name]) => name === event)) throw new Error('a defect');
        return told.splice(told.length, 0, ...more).length;
      };
      agent.setClock(hourMs);
      await agent.pass(10 * minuteMs + 2000);
      expect(await toItsEnd(agent.ended)).toEqual(wardenError('agent-died', 'a part of the daemon died: a defect'));
    });
  });

  it('does not start where its port is taken', async () => {
    const first = await daemon();
    const taken = first.address().split(':')[1];
    const second = await startAgent(stack, configWith(every10, '', `127.0.0.1:${taken}`), () =>
      expect.fail('nothing is opened'),
    );
    expect(await second.ended).toEqual(wardenError('http-listen-failed', 'in use'));
  });

  describe('asked how it is', () => {
    it('is alive as long as it looks at its schedule and its runs end', async () => {
      const agent = await daemon();
      expect(await agent.ask('/livez')).toEqual({ status: 200, body: 'ok\n' });
      await agent.pass(hourMs);
      expect(await agent.ask('/livez')).toEqual({ status: 200, body: 'ok\n' });
    });

    it('is stuck where a minute went by without a look at the schedule', async () => {
      const agent = await daemon();
      await agent.pass(1000);
      vi.setSystemTime(Date.now() + minuteMs - 1000);
      expect((await agent.ask('/livez')).status).toBe(200);
      vi.setSystemTime(Date.now() + 1000);
      expect(await agent.ask('/livez')).toEqual({
        status: 503,
        body: 'stuck\nthe schedule was not looked at for 1m 0s\n',
      });
    });

    it('is stuck where a run outlives its deadline', async () => {
      const agent = await daemon();
      runs = [takes(20 * minuteMs)];
      await agent.pass(10 * minuteMs + 13 * minuteMs);
      expect(await agent.ask('/livez')).toEqual({
        status: 503,
        body: 'stuck\nthe backup outlived its deadline and does not end\n',
      });
      await agent.pass(20 * minuteMs);
      expect((await agent.ask('/livez')).status).toBe(200);
    });

    it('is ready where all is well, and says of itself what is not', async () => {
      const agent = await daemon();
      await agent.pass(1000);
      expect(await agent.ask('/readyz')).toEqual({
        status: 200,
        body: 'degraded\nThere is no backup yet; the first is due in 9m.\n',
      });
      await agent.pass(12 * minuteMs);
      expect(await agent.ask('/readyz')).toEqual({
        status: 200,
        body: 'ok\nEvery repository holds a recent backup; the newest is 2m old.\n',
      });
      list = () => failingListing(refuses('store-unreachable', 'no way there'));
      runs = [fail];
      await agent.pass(8 * minuteMs + 5000);
      const { status, body } = await agent.ask('/readyz');
      expect([status, body.split('\n').slice(0, 1)]).toEqual([200, ['degraded']]);
      expect(body).toContain('Repository local cannot be listed: no way there.\n');
      expect(body).toContain('The last backup failed: ');
    });

    it('hands on metrics and the whole status', async () => {
      const agent = await daemon();
      await agent.pass(minuteMs);
      expect(await agent.ask('/metrics')).toEqual({ status: 200, body: 'etcd_warden_build_info 1\n' });
      const status = JSON.parse((await agent.ask('/api/status')).body) as object;
      expect(status).toMatchObject({
        cluster: 'prod',
        startedAt: start.toISOString(),
        repositories: [{ name: 'local', expectedAgeSeconds: 600 }],
        members: { members: [{ name: 'm1', role: 'leader' }] },
        schedule: [{ job: 'backup', nextAt: '2026-11-25T12:20:00.000Z' }],
      });
    });
  });
});
