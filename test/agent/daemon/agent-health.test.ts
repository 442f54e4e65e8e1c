import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Looks } from '../../../src/agent/daemon/looks.ts';
import { failingListing } from '../../jobs/repositories.ts';
import { startTheClock, stopTheClock, toItsEnd } from '../../support/pass-time.ts';
import { refuses } from '../../support/scripted-etcd.ts';
import { type AgentAtWork, configWith, startAgent } from './agent-at-work.ts';
import { setStage, type Stage, takes } from './stage.ts';

vi.mock('node:timers/promises', () => import('../../support/fake-delay.ts'));

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const start = new Date('2026-11-25T12:10:00Z');
const every10 = 'backup: {cron: "*/10 * * * *", jitter: 0s, missed: skip}';

describe('The daemon, asked how it is,', () => {
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
  const fail = (): Promise<never> => Promise.reject(refuses('etcd-permission-denied', 'no root role'));

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
    stage.runs = [takes(20 * minuteMs)];
    await agent.pass(10 * minuteMs + 13 * minuteMs);
    expect(await agent.ask('/livez')).toEqual({
      status: 503,
      body: 'stuck\nthe backup outlived its deadline and does not end\n',
    });
    await agent.pass(20 * minuteMs);
    expect((await agent.ask('/livez')).status).toBe(200);
  });

  it('is stuck where nobody looks at repositories or members any more', async () => {
    const agent = await daemon();
    vi.spyOn(Looks.prototype, 'deadBecause', 'get').mockReturnValue('the look at the members is overdue by 3m 0s');
    expect(await agent.ask('/livez')).toEqual({
      status: 503,
      body: 'stuck\nthe look at the members is overdue by 3m 0s\n',
    });
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
    stage.list = () => failingListing(refuses('store-unreachable', 'no way there'));
    stage.runs = [fail];
    await agent.pass(8 * minuteMs + 5000);
    const { status, body } = await agent.ask('/readyz');
    expect([status, body.split('\n').slice(0, 1)]).toEqual([200, ['degraded']]);
    expect(body).toContain('Repository local cannot be listed: no way there.\n');
    expect(body).toContain('The last backup failed: ');
  });

  it('says of what it shows from when it is where looking fails for long, and says it once', async () => {
    const agent = await daemon();
    await agent.pass(12 * minuteMs);
    stage.list = () => failingListing(refuses('store-unreachable', 'no way there'));
    await agent.pass(20 * minuteMs);
    const { body } = await agent.ask('/readyz');
    const shown =
      /Repository local cannot be listed since 2026-\S+Z, so what is shown of it is from 2026-\S+Z: no way there\./g;
    expect(body.match(shown)).toHaveLength(1);
    expect(body).toMatch(/^degraded\nThe newest backup that was seen is \d+m old/);
    expect((await agent.ask('/livez')).status).toBe(200);
  });

  it('tells a danger once', async () => {
    stage.list = () => failingListing(refuses('store-unreachable', 'no way there'));
    const agent = await daemon();
    await agent.pass(1000);
    const { body } = await agent.ask('/readyz');
    expect(body.split('\n').slice(0, 3)).toEqual([
      'degraded',
      'No repository can be listed.',
      'Repository local cannot be listed: no way there.',
    ]);
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
