import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Parts } from '../../../src/agent/compose.ts';
import { type JobOutcome, type ScheduledJobName, scheduledJobs } from '../../../src/agent/daemon/scheduled-jobs.ts';
import { readCatalogue } from '../../../src/repository/catalogue.ts';
import { snapshotName } from '../../../src/repository/layout.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import {
  alter,
  failingListing,
  fieldsLog,
  flipLastBit,
  repositoryNamed,
  storeSnapshot,
  type TestRepository,
} from '../../jobs/repositories.ts';
import { etcdSnapshot } from '../../support/crafted-etcd-snapshot.ts';
import { GiB, liveCluster, type LiveCluster } from '../../support/defrag-cluster.ts';
import { wardenError } from '../../support/errors.ts';
import { createMemoryLock, type MemoryLock } from '../../support/memory-lock.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { startTheClock, stopTheClock, toItsEnd } from '../../support/pass-time.ts';
import { cluster as clusterName, placeAt, storeBackup } from '../../support/sample-backup.ts';
import { refuses } from '../../support/scripted-etcd.ts';
import { memoryParts } from '../memory-parts.ts';

vi.mock('node:timers/promises', () => import('../../support/fake-delay.ts'));

const go = new AbortController().signal;
/** A Wednesday. */
const noon = new Date('2026-11-25T12:00:00Z');
const policy = 'retention: {keepLast: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0, keepMin: 1}';

describe('A job that came due', () => {
  let local: TestRepository;
  let lock: MemoryLock;
  let repositoriesLock: MemoryLock;
  let live: LiveCluster;

  beforeEach(() => {
    stopTheClock(noon);
    local = repositoryNamed('local');
    [lock, repositoriesLock] = [createMemoryLock(), createMemoryLock()];
    live = liveCluster();
  });
  afterEach(startTheClock);

  interface Circumstances {
    readonly parts?: Partial<Parts>;
    /** One more. */
    readonly repository?: string;
    readonly sections?: string;
    readonly isShownAgain?: boolean;
  }
  function run(job: ScheduledJobName, circumstances: Circumstances = {}): Promise<JobOutcome> {
    const { parts = {}, repository = '', sections = '', isShownAgain = false } = circumstances;
    const snapshot = 'snapshot: {compression: none}';
    const due = {
      parts: memoryParts({ repositories: [local], lock, repositoriesLock, ...parts }),
      config: configOf(`${minimalConfig}    ${policy}\n${repository}${snapshot}\n${sections}`),
      occurrence: noon,
      isShownAgain,
    };
    return toItsEnd(scheduledJobs[job](due, go));
  }
  const stored = async (): Promise<string[]> =>
    (await readCatalogue(local.store, clusterName, undefined, go)).entries.map(({ place }) => place.id.text);
  const unlistable = (): TestRepository => {
    const { name, store } = repositoryNamed('far');
    return { name, store: { ...store, list: () => failingListing(refuses('store-unreachable', 'no way there')) } };
  };

  describe('as a backup', () => {
    it('takes one, and leaves it to the repositories to tell when', async () => {
      const outcome = await run('backup');
      expect(outcome).toEqual({ kind: 'done', error: undefined, text: `${(await stored())[0]} in local` });
    });

    it('is served by one that was taken since, by whomever', async () => {
      const { id } = await storeAt('2026-11-25T12:00:10Z');
      expect(await run('backup')).toEqual({
        kind: 'skipped',
        reason: 'served',
        text: `there is ${id.text} in local already`,
      });
    });

    it('is not served by one that was dated so before the clock went back', async () => {
      await storeAt('2026-11-25T12:00:10Z');
      expect(await run('backup', { isShownAgain: true })).toMatchObject({ kind: 'done', error: undefined });
      expect(await stored()).toHaveLength(2);
    });

    it('is done, with an error, where not every repository holds it', async () => {
      const { store } = repositoryNamed('far');
      const startUpload = (): Promise<never> => Promise.reject(refuses('store-full', 'no room'));
      const outcome = await run('backup', {
        parts: { repositories: [local, { name: 'far', store: { ...store, startUpload } }] },
      });
      expect(outcome).toMatchObject({ kind: 'done', text: `${(await stored())[0]} in local` });
      expect(outcome).toMatchObject({ error: wardenError('repositories-failed', 'no room') });
    });

    it('fails where somebody else works on the cluster for too long: it must be tried again', async () => {
      lock.takeAway('defrag on a');
      await expect(run('backup')).rejects.toEqual(wardenError('busy'));
    });
  });

  describe('as a defragmentation', () => {
    const defrag = (circumstances: Circumstances = {}): Promise<JobOutcome> =>
      run('defrag', { ...circumstances, parts: { etcd: live.etcd, metrics: live.metrics, ...circumstances.parts } });
    const closed = 'schedules: {defrag: {cron: "* * * * *", windows: [{from: "01:00", to: "05:00"}]}}\n';

    it('takes the members that are due, and is an event', async () => {
      expect(await defrag()).toEqual({ kind: 'done', error: undefined, text: 'm2, m3, m1', event: 'defragmented' });
    });

    it('is nothing where no member is due', async () => {
      const sections = 'defrag: {rules: [{dbSizeAbove: 2GiB}]}\n';
      expect(await defrag({ sections })).toEqual({ kind: 'skipped', reason: 'nothing', text: 'no member is due' });
    });

    it('is nothing outside its windows, by the clock of their time zone', async () => {
      expect(await defrag({ sections: closed })).toEqual({
        kind: 'skipped',
        reason: 'nothing',
        text: 'no window is open',
      });
      const elsewhere = closed.replace('schedules: {', 'schedules: {timeZone: America/Los_Angeles, ');
      expect(await defrag({ sections: elsewhere })).toMatchObject({ kind: 'done', text: 'm2, m3, m1' });
    });

    it('takes whoever is in an emergency, windows or not', async () => {
      live.member('m3').status = { dbSizeBytes: 7.5 * GiB, dbSizeInUseBytes: GiB, dbSizeQuotaBytes: 8 * GiB };
      expect(await defrag({ sections: closed })).toMatchObject({ kind: 'done', text: 'm3', event: 'defragmented' });
    });

    it('is left to the next time where somebody else works on the cluster', async () => {
      lock.takeAway('backup on a');
      expect(await defrag()).toMatchObject({
        kind: 'skipped',
        reason: 'busy',
        text: expect.stringContaining('a') as string,
      });
      expect(live.sent()).toEqual([]);
    });

    it('is no event where it was refused, and fails', async () => {
      live.member('m3').silent = refuses('etcd-unreachable', 'refused');
      const outcome = await defrag();
      expect(outcome).toEqual({ kind: 'done', error: wardenError('defrag-refused', 'm3'), text: '' });
    });

    it('tells what was done before it was stopped', async () => {
      live.member('m3').defragment = () => Promise.reject(refuses('defrag-failed', 'no room'));
      expect(await defrag()).toMatchObject({ kind: 'done', text: 'm2, m3', event: 'defragmented' });
    });

    it('fails with what kept it from planning at all', async () => {
      const discover = (): Promise<never> => Promise.reject(refuses('etcd-unreachable', 'nobody answers'));
      await expect(defrag({ parts: { etcd: { ...live.etcd, discover } } })).rejects.toEqual(
        wardenError('etcd-unreachable'),
      );
    });
  });

  describe('as a verification', () => {
    const places = [9, 10, 11].map((hour) => placeAt(new Date(Date.UTC(2026, 10, 25, hour)).toISOString()));

    beforeEach(async () => {
      vi.setSystemTime(new Date('2026-11-25T11:30:00Z'));
      for (const place of places) await storeSnapshot(local.store, place, etcdSnapshot());
      vi.setSystemTime(noon);
    });

    it('reads the newest backup back, and as many of the others as the configuration says', async () => {
      const sections = 'schedules: {verify: {cron: "0 * * * *", subset: 1/3}}\n';
      expect(await run('verify', { sections })).toEqual({
        kind: 'done',
        error: undefined,
        text: '2 of 2 backups proved whole',
      });
      const { entries } = await readCatalogue(local.store, clusterName, undefined, go);
      expect(entries.map(({ verifiedAt }) => verifiedAt !== undefined)).toEqual([true, false, true]);
    });

    it('is served by a read-back since, whoever did it', async () => {
      await run('verify');
      const again = await run('verify');
      expect(again).toMatchObject({
        kind: 'skipped',
        reason: 'served',
        text: expect.stringContaining('read back') as string,
      });
    });

    it('is not served by one that was dated so before the clock went back', async () => {
      await run('verify');
      expect(await run('verify', { isShownAgain: true })).toMatchObject({ kind: 'done' });
    });

    it('is done, with an error, where it found damage', async () => {
      alter(local, places[2] ?? expect.fail('no place'), snapshotName('.zst'), flipLastBit);
      const outcome = await run('verify');
      expect(outcome).toMatchObject({ kind: 'done', error: { exitStatus: 3 }, text: '1 of 2 backups proved whole' });
    });

    it('is nothing where no repository holds a backup yet', async () => {
      const repositories = [repositoryNamed('a'), repositoryNamed('b')];
      const log = fieldsLog();
      expect(await run('verify', { parts: { repositories, log } })).toMatchObject({
        kind: 'skipped',
        reason: 'nothing',
      });
      expect(log.lines.filter(([level]) => level === 'warn' || level === 'error')).toEqual([]);
    });

    it.each([
      ['before', 0],
      ['behind', 1],
    ])('is not nothing where a repository cannot be listed %s an empty one', async (_, index) => {
      const repositories = [repositoryNamed('empty')].toSpliced(index, 0, unlistable());
      expect(await run('verify', { parts: { repositories } })).toMatchObject({
        kind: 'done',
        error: { message: expect.stringContaining('no way there') as string },
      });
    });

    it('is left to whoever does it already', async () => {
      repositoriesLock.takeAway('verify on a');
      expect(await run('verify')).toMatchObject({ kind: 'skipped', reason: 'busy' });
      const { entries } = await readCatalogue(local.store, clusterName, undefined, go);
      expect(entries.filter(({ verifiedAt }) => verifiedAt !== undefined)).toEqual([]);
    });

    it('does not ask for the lock of the cluster, and goes on where no lock can be had', async () => {
      lock.takeAway('backup on a');
      repositoriesLock.failWith('no quorum');
      const log = fieldsLog();
      expect(await run('verify', { parts: { log } })).toMatchObject({ kind: 'done', error: undefined });
      expect(log.lines).toContainEqual(['warn', 'going on without the lock', { reason: 'no quorum' }]);
    });
  });

  describe('as retention', () => {
    beforeEach(async () => {
      local = { name: 'local', store: createMemoryStore('local', { now: () => new Date() }) };
      for (const time of ['2026-11-24T12:00:00Z', '2026-11-25T11:00:00Z']) {
        vi.setSystemTime(new Date(time));
        await storeBackup(local.store, placeAt(time));
      }
      vi.setSystemTime(noon);
    });

    it('removes what the policy does not keep, and is an event', async () => {
      expect(await run('prune')).toEqual({
        kind: 'done',
        error: undefined,
        text: '1 backups removed',
        event: 'pruned',
      });
      expect(await stored()).toEqual([placeAt('2026-11-25T11:00:00Z').id.text]);
    });

    it('is no event where nothing had to go', async () => {
      await run('prune');
      expect(await run('prune')).toEqual({ kind: 'done', error: undefined, text: '0 backups removed' });
    });

    it('is done, with an error, where one repository could not be pruned', async () => {
      const far = '  - {name: far, store: {type: directory, path: /var/backups/far}}\n';
      const outcome = await run('prune', { parts: { repositories: [local, unlistable()] }, repository: far });
      expect(outcome).toMatchObject({
        kind: 'done',
        error: { code: 'partly-pruned' },
        text: '1 backups removed',
        event: 'pruned',
      });
    });

    it('is left to whoever does it already', async () => {
      repositoriesLock.takeAway('prune on a');
      expect(await run('prune')).toMatchObject({ kind: 'skipped', reason: 'busy' });
      expect(await stored()).toHaveLength(2);
    });
  });

  async function storeAt(time: string): Promise<ReturnType<typeof placeAt>> {
    const place = placeAt(time, 7n, 9);
    await storeBackup(local.store, place);
    return place;
  }
});
