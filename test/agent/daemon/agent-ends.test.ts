import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { untilAborted } from '../../support/defrag-cluster.ts';
import { wardenError } from '../../support/errors.ts';
import { startTheClock, stopTheClock, toItsEnd } from '../../support/pass-time.ts';
import { refuses } from '../../support/scripted-etcd.ts';
import { memoryParts } from '../memory-parts.ts';
import { type AgentAtWork, configWith, innerServer, startAgent } from './agent-at-work.ts';
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

  const daemon = (): Promise<AgentAtWork> => startAgent(stack, configWith(every10), stage.open);
  const resultsOf = ({ measures }: AgentAtWork): unknown[] =>
    measures.of('jobEnded').map(([, facts]) => (facts as { result: string }).result);

  it('does not start where its port is taken', async () => {
    const first = await daemon();
    const taken = first.address().split(':')[1];
    const second = await startAgent(stack, configWith(every10, '', `127.0.0.1:${taken}`), () =>
      expect.fail('nothing is opened'),
    );
    expect(await second.ended).toEqual(wardenError('http-listen-failed', 'in use'));
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
      stage.runs = [
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
      expect([stage.local.store.uploads.size, stage.local.store.objects.size]).toEqual([0, 0]);
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
      stage.runs = [untilAborted];
      await agent.pass(10 * minuteMs + 2000);
      inner.close();
      inner.closeAllConnections();
      expect(await toItsEnd(agent.ended)).toEqual(
        wardenError('agent-died', `a part of the daemon died: the HTTP server at ${agent.address()} stopped by itself`),
      );
      expect(agent.logged('failed').map((fields) => fields?.['code'])).toEqual(['agent-died']);
      expect(agent.deaths).toEqual([wardenError('agent-died', 'stopped by itself')]);
    });

    it('ends with the reason: a look', async () => {
      const agent = await daemon();
      stage.changeParts = () => {
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
});
