import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AgentStatus } from '../../../src/agent/agent-status.ts';
import type { Config } from '../../../src/config/schema.ts';
import { WardenError } from '../../../src/errors/warden-error.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import { repositoryNamed, type TestRepository } from '../../jobs/repositories.ts';
import { freePorts } from '../../support/process.ts';
import { startTheClock, stopTheClock, toItsEnd } from '../../support/pass-time.ts';
import { placeAt, storeBackup } from '../../support/sample-backup.ts';
import { memoryParts } from '../memory-parts.ts';
import { type AgentAtWork, configWith, startAgent } from './agent-at-work.ts';

vi.mock('node:timers/promises', () => import('../../support/fake-delay.ts'));

const minuteMs = 60_000;
const every10 = 'prune: {cron: "*/10 * * * *"}';
const second = '  - {name: second, store: {type: directory, path: /var/backups/second}}\n';

describe('Reading the configuration again', () => {
  let stack: AsyncDisposableStack;
  let agent: AgentAtWork;
  /** By what tells configurations apart here: the cluster and the schedules. */
  let opened: Set<string>;
  let repositories: Map<string, TestRepository>;

  beforeEach(async () => {
    stopTheClock(new Date('2026-11-25T12:05:00Z'));
    stack = new AsyncDisposableStack();
    opened = new Set();
    repositories = new Map();
    agent = await startAgent(stack, configWith(every10), async (config, tellers) => {
      opened.add(JSON.stringify([config.cluster.name, config.schedules]));
      return memoryParts({ ...tellers, repositories: config.repositories.map(({ name }) => repositoryOf(name)) });
    });
    await agent.pass(1000);
  });
  afterEach(async () => {
    await toItsEnd(stack.disposeAsync());
    startTheClock();
  });

  function repositoryOf(name: string): TestRepository {
    const repository = repositories.get(name) ?? repositoryNamed(name);
    repositories.set(name, repository);
    return repository;
  }
  async function reload(config: Config | WardenError): Promise<void> {
    agent.nextConfig = async () => {
      if (config instanceof WardenError) throw config;
      return config;
    };
    await agent.reload();
  }
  const begun = (): unknown[] => agent.measures.of('jobStarted').flat();
  const refusal = 'the configuration was not read again: the old one holds';

  it('replaces the schedule, and says so', async () => {
    await reload(configWith('verify: {cron: "* * * * *"}'));
    expect(agent.measures.of('configReloaded')).toEqual([[{ ok: true, at: expect.any(Date) as Date }]]);
    expect(agent.logged('the configuration was read again')).toEqual([{ schedules: ['verify * * * * *'] }]);
    expect(
      agent.measures
        .of('jobScheduled')
        .slice(-4)
        .map(([job, schedule]) => [job, schedule !== undefined]),
    ).toEqual([
      ['backup', false],
      ['defrag', false],
      ['verify', true],
      ['prune', false],
    ]);
    await agent.pass(6 * minuteMs);
    expect(new Set(begun())).toEqual(new Set(['verify']));
  });

  it('makes up for nothing anew where a job is planned as it was', async () => {
    const hourly = configWith('backup: {cron: "0 * * * *", jitter: 0s}');
    await reload(hourly);
    await agent.pass(1000);
    const before = begun().length;
    for (let times = 0; times < 5; times += 1) await reload(hourly);
    await agent.pass(minuteMs);
    expect(begun().length).toBe(before);
  });

  it('changes nothing where the new one has faults', async () => {
    await reload(new WardenError('config-invalid', 'config.yaml:3:1: `x` is not known'));
    expect(agent.measures.of('configReloaded')).toEqual([[{ ok: false, at: expect.any(Date) as Date }]]);
    expect(agent.logged(refusal)).toEqual([{ code: 'config-invalid', reason: 'config.yaml:3:1: `x` is not known' }]);
    const told =
      'The configuration that was read again at 2026-11-25T12:05:01Z was refused: config.yaml:3:1: `x` is not known; the old one runs on.';
    expect((await agent.ask('/readyz')).body).toContain(told);
    expect(JSON.parse((await agent.ask('/api/status')).body)).toMatchObject({
      problems: [{ text: 'No repository holds a backup.' }, { level: 'warning', text: told }],
      refusedReload: { at: expect.stringMatching(/^2026-11-25T12:05:01/) as string, code: 'config-invalid' },
    });
    expect((await agent.ask('/')).body).toContain('2026-11-25T12:05:01Z was refused');
    await agent.pass(6 * minuteMs);
    expect([begun(), opened.size]).toEqual([['prune'], 1]);
  });

  it('changes nothing where it is about another cluster', async () => {
    await reload(configOf(minimalConfig.replace('name: prod', 'name: test')));
    expect(agent.logged(refusal)).toEqual([
      { code: 'config-invalid', reason: 'cluster.name changed from prod to test: that takes a restart' },
    ]);
    await agent.pass(6 * minuteMs);
    expect([begun(), opened.size]).toEqual([['prune'], 1]);
  });

  it('can be done again after one that failed', async () => {
    await reload(new WardenError('config-invalid', 'wrong'));
    await reload(configWith(''));
    expect((await agent.ask('/readyz')).body).not.toContain('refused');
    await agent.pass(6 * minuteMs);
    expect([begun(), agent.measures.of('configReloaded').length]).toEqual([[], 2]);
  });

  it('is done one after the other, so that the last one asked for holds', async () => {
    const slow = Promise.withResolvers<Config>();
    agent.nextConfig = () => slow.promise;
    const first = agent.reload();
    await Promise.resolve();
    agent.nextConfig = async () => configWith('verify: {cron: "* * * * *"}');
    const last = agent.reload();
    slow.resolve(configWith('backup: {cron: "* * * * *"}'));
    await Promise.all([first, last]);
    expect(agent.logged('the configuration was read again').map((fields) => fields?.['schedules'])).toEqual([
      ['backup * * * * *'],
      ['verify * * * * *'],
    ]);
  });

  it('looks at the repositories of the new one at once, and forgets those that it no longer names', async () => {
    await storeBackup(repositoryOf('second').store, placeAt('2026-11-25T12:00:00Z'));
    const wider = configOf(`${minimalConfig}${second}http: {listen: "127.0.0.1:0"}\n`);
    await reload(wider);
    await agent.pass(0);
    expect(agent.measures.of('repositoriesConfigured')).toEqual([[['local']], [['local', 'second']]]);
    expect(
      agent.measures
        .of('repositoryListed')
        .slice(-2)
        .map(([name]) => name),
    ).toEqual(['local', 'second']);
    expect(await namesOf()).toEqual([['local', 'second'], ['second']]);
    await reload(configWith(''));
    expect(await namesOf()).toEqual([['local'], []]);
    expect(agent.measures.of('repositoriesConfigured').at(-1)).toEqual([['local']]);
  });

  it('moves to another address, and serves there', async () => {
    const before = agent.address();
    const [port = 0] = await freePorts(1);
    await reload(configWith(every10, '', `127.0.0.1:${port}`));
    const response = await fetch(`http://127.0.0.1:${port}/livez`, { headers: { connection: 'close' } });
    expect(response.status).toBe(200);
    await expect(fetch(`http://${before}/livez`)).rejects.toThrow('fetch failed');
    // That the old one was left is no reason to end.
    await agent.pass(6 * minuteMs);
    expect(begun()).toEqual(['prune']);
  });

  it('changes nothing where it cannot be served at the new address', async () => {
    const other = await startAgent(stack, configWith(''), async (_, tellers) => memoryParts(tellers));
    await reload(configWith('', '', other.address()));
    expect(agent.logged(refusal)).toMatchObject([{ code: 'http-listen-failed' }]);
    expect((await agent.ask('/livez')).status).toBe(200);
    await agent.pass(6 * minuteMs);
    expect(begun()).toEqual(['prune']);
  });

  it('turns the status page off without a change of address', async () => {
    expect((await agent.ask('/')).status).toBe(200);
    const config = configWith(every10);
    await reload({ ...config, http: { ...config.http, statusPage: false } });
    expect((await agent.ask('/')).status).toBe(404);
  });

  /** The repositories that the status shows, and those of which it tells events. */
  async function namesOf(): Promise<string[][]> {
    const { body } = await agent.ask('/api/status');
    const { repositories: shown, events } = JSON.parse(body) as Pick<AgentStatus, 'repositories' | 'events'>;
    return [shown.map(({ name }) => name), events.map(({ repository }) => repository ?? '')];
  }
});
