import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type JobOutcome, type ScheduledJobName, scheduledJobs } from '../../../src/agent/daemon/scheduled-jobs.ts';
import type { Log } from '../../../src/ports/log.ts';
import { readCatalogue } from '../../../src/repository/catalogue.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import { fieldsLog, repositoryNamed, storeSnapshot, type TestRepository } from '../../jobs/repositories.ts';
import { etcdSnapshot } from '../../support/crafted-etcd-snapshot.ts';
import { createMemoryLock, type MemoryLock } from '../../support/memory-lock.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { startTheClock, stopTheClock, toItsEnd } from '../../support/pass-time.ts';
import { cluster, placeAt, storeBackup } from '../../support/sample-backup.ts';
import { memoryParts } from '../memory-parts.ts';

vi.mock('node:timers/promises', () => import('../../support/fake-delay.ts'));

const go = new AbortController().signal;
const noon = new Date('2026-11-25T12:00:00Z');
const policy =
  'retention: {keepLast: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0, keepMin: 1, maxRemovedPercent: 100%}';
const config = configOf(
  `${minimalConfig}    ${policy}\nsnapshot: {compression: none}\nschedules: {verify: {cron: "0 0 * * *", subset: 1/1}}\n`,
);

describe('A run on the repositories that loses its lock', () => {
  let local: TestRepository;
  let lock: MemoryLock;
  /** Called at each line of the log. */
  let onLine: (message: string) => void;

  beforeEach(() => {
    stopTheClock(noon);
    lock = createMemoryLock();
    onLine = () => undefined;
  });
  afterEach(startTheClock);

  function run(job: ScheduledJobName): Promise<JobOutcome> {
    const log = fieldsLog();
    const info: Log['info'] = (message, fields) => {
      log.info(message, fields);
      onLine(message);
    };
    const parts = memoryParts({ repositories: [local], repositoriesLock: lock, log: { ...log, info } });
    return toItsEnd(scheduledJobs[job]({ parts, config, occurrence: noon, isShownAgain: false }, go));
  }
  /** Once, when this was logged for the nth time. */
  function loseAt(message: string, nth: number, to?: string): void {
    let times = 0;
    onLine = (said) => {
      if (said === message && (times += 1) === nth) lock.takeAway(to);
    };
  }
  const entries = async () => (await readCatalogue(local.store, cluster, undefined, go)).entries;

  describe('while it reads back', () => {
    beforeEach(async () => {
      local = repositoryNamed('local');
      vi.setSystemTime(new Date('2026-11-25T11:30:00Z'));
      for (const hour of ['09', '10', '11'])
        await storeSnapshot(local.store, placeAt(`2026-11-25T${hour}:00:00Z`), etcdSnapshot());
      vi.setSystemTime(noon);
    });
    const verified = async (): Promise<number> =>
      (await entries()).filter(({ verifiedAt }) => verifiedAt !== undefined).length;

    it('leaves the rest to whoever has it now', async () => {
      loseAt('backup verified', 1, 'verify on a');
      expect(await run('verify')).toMatchObject({ kind: 'skipped', reason: 'busy' });
      expect([await verified(), lock.holder]).toEqual([1, 'verify on a']);
    });

    it('begins anew where nobody has it, and does not take its own proofs for those of another', async () => {
      loseAt('backup verified', 2);
      expect(await run('verify')).toMatchObject({ kind: 'done', error: undefined });
      expect(await verified()).toBe(3);
    });
  });

  it('removes nothing further', async () => {
    local = { name: 'local', store: createMemoryStore('local', { now: () => new Date() }) };
    for (let hour = 1; hour <= 22; hour += 1) {
      const time = new Date(Date.UTC(2026, 10, 24, hour));
      vi.setSystemTime(time);
      await storeBackup(local.store, placeAt(time.toISOString()));
    }
    vi.setSystemTime(noon);
    loseAt('backup removed', 1, 'prune on a');
    expect(await run('prune')).toMatchObject({ kind: 'skipped', reason: 'busy' });
    // The ten that were being removed are gone.
    expect((await entries()).length).toBe(12);
  });
});
