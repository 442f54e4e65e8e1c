import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Parts } from '../../../src/agent/compose.ts';
import { JobRunner } from '../../../src/agent/daemon/job-runner.ts';
import { Knowledge } from '../../../src/agent/daemon/knowledge.ts';
import type { Order } from '../../../src/agent/daemon/lane.ts';
import { WardenError } from '../../../src/errors/warden-error.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import { failingListing, fieldsLog, repositoryNamed, type TestRepository } from '../../jobs/repositories.ts';
import { createMemoryLock } from '../../support/memory-lock.ts';
import { fakedClock, startTheClock, stopTheClock, toItsEnd } from '../../support/pass-time.ts';
import { refuses } from '../../support/scripted-etcd.ts';
import { memoryParts, recordedMeasures, type RecordedMeasures } from '../memory-parts.ts';

vi.mock('node:timers/promises', () => import('../../support/fake-delay.ts'));

const noon = new Date('2026-11-25T12:00:00Z');
const pruning = configOf(
  `${minimalConfig}snapshot: {compression: none}\nschedules: {backup: {cron: "0 * * * *"}, prune: {after: backup}}\n`,
);

describe('What a run leaves behind', () => {
  let local: TestRepository;
  let knowledge: Knowledge;
  let measures: RecordedMeasures;
  let log: ReturnType<typeof fieldsLog>;
  let change: (parts: Parts) => Parts;
  let runner: JobRunner;

  beforeEach(() => {
    stopTheClock(noon);
    local = repositoryNamed('local');
    knowledge = new Knowledge();
    measures = recordedMeasures();
    log = fieldsLog();
    change = (parts) => parts;
    runner = new JobRunner({
      clock: fakedClock,
      log,
      measures,
      knowledge,
      config: () => pruning,
      open: async (_, tellers) => change(memoryParts({ ...tellers, repositories: [local] })),
      onEnded: () => undefined,
    });
  });
  afterEach(async () => {
    await toItsEnd(runner[Symbol.asyncDispose]());
    startTheClock();
  });

  async function run(job: Order['job']): Promise<void> {
    runner.request({ job, occurrence: new Date(), isShownAgain: false, attempt: 0 });
    await vi.advanceTimersByTimeAsync(10_000);
  }
  const results = (): unknown[] =>
    measures.of('jobEnded').map(([job, facts]) => [job, (facts as { result: string }).result]);

  it('is that retention after a backup was carried out, too, and how that went', async () => {
    await run('backup');
    expect(results()).toEqual([
      ['backup', 'succeeded'],
      ['prune', 'succeeded'],
    ]);
    const { store } = local;
    change = (parts) => ({
      ...parts,
      repositories: [
        { name: 'local', store: { ...store, list: () => failingListing(refuses('store-failed', 'no list')) } },
      ],
    });
    await run('backup');
    expect(results().slice(2)).toEqual([
      ['backup', 'succeeded'],
      ['prune', 'refused'],
    ]);
    expect(knowledge.failures).toMatchObject([{ job: 'prune', code: 'prune-refused' }]);
  });

  it('is what failed before, where another one is at it now: that may fail as well', async () => {
    knowledge.jobEnded('verify', new WardenError('store-timeout', 'too slow'), noon);
    const lock = createMemoryLock();
    lock.takeAway('verify on b');
    change = (parts) => ({ ...parts, repositoriesLock: lock });
    await run('verify');
    expect(results()).toEqual([['verify', 'busy']]);
    expect(measures.of('jobSkipped')).toEqual([['verify', 'busy']]);
    expect([knowledge.running, knowledge.failures]).toMatchObject([[], [{ job: 'verify', code: 'store-timeout' }]]);
  });

  it.each([
    ['a repository that has none of it', 'repositories-failed', ['partly', ['repositories-failed']]],
    ['nothing that failed altogether', 'no-backup-stored', ['succeeded', []]],
  ] as const)('is %s, where another run serves the next time', async (_, code, [result, stays]) => {
    await run('backup');
    knowledge.jobEnded('backup', new WardenError(code, 'as it was'), noon);
    runner.request({ job: 'backup', occurrence: noon, isShownAgain: false, attempt: 0 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(measures.of('jobSkipped')).toEqual([['backup', 'served']]);
    expect(results().at(-1)).toEqual(['backup', result]);
    expect(knowledge.failures.map((failure) => failure.code)).toEqual(stays);
  });

  it('is nothing of an earlier half, where there is nothing left to do', async () => {
    knowledge.jobEnded('verify', new WardenError('partly-verified', 'one of two'), noon);
    await run('verify');
    expect([measures.of('jobSkipped'), results(), knowledge.failures]).toEqual([
      [['verify', 'nothing']],
      [['verify', 'succeeded']],
      [],
    ]);
  });

  it('is what was done, where only the release of what it used failed', async () => {
    const release = { [Symbol.asyncDispose]: () => Promise.reject(new Error('a socket hangs')) };
    change = (parts) => ({ ...parts, ...release });
    await run('backup');
    expect(results()[0]).toEqual(['backup', 'succeeded']);
    expect(log.lines).toContainEqual([
      'warn',
      'not everything could be released after a run',
      { job: 'backup', reason: 'a socket hangs' },
    ]);
  });
});
