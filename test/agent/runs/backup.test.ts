import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Parts } from '../../../src/agent/compose.ts';
import { runBackup, runDueBackup, type BackupRun } from '../../../src/agent/runs/backup.ts';
import { readCatalogue } from '../../../src/repository/catalogue.ts';
import { readManifest } from '../../../src/repository/read-manifest.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import { failingListing, repositoryNamed, type TestRepository } from '../../jobs/repositories.ts';
import { wardenError } from '../../support/errors.ts';
import { createMemoryLock, type MemoryLock } from '../../support/memory-lock.ts';
import { startTheClock, stopTheClock, toItsEnd } from '../../support/pass-time.ts';
import { cluster, placeAt, storeBackup } from '../../support/sample-backup.ts';
import { refuses } from '../../support/scripted-etcd.ts';
import { etcdAfter, memoryParts, recordedMeasures, type RecordedMeasures } from '../memory-parts.ts';

vi.mock('node:timers/promises', () => import('../../support/fake-delay.ts'));

const go = new AbortController().signal;
const noon = new Date('2026-11-25T12:00:00Z');
const plain = `${minimalConfig}snapshot: {compression: none}\n`;

describe('A backup', () => {
  let local: TestRepository;
  let lock: MemoryLock;
  let measures: RecordedMeasures;
  let looks: number;
  /** What happens while members are asked, with how often they were asked, from 1. */
  let onLook: (look: number, signal: AbortSignal) => Promise<void>;

  beforeEach(() => {
    stopTheClock(noon);
    local = repositoryNamed('local');
    lock = createMemoryLock();
    measures = recordedMeasures();
    looks = 0;
    onLook = async () => undefined;
  });
  afterEach(startTheClock);

  const partsOf = (changes: Partial<Parts> = {}) =>
    memoryParts({
      etcd: etcdAfter((signal) => onLook((looks += 1), signal)),
      repositories: [local],
      lock,
      measures,
      ...changes,
    });
  const run = (text = plain, signal = go): Promise<BackupRun> =>
    toItsEnd(runBackup(partsOf(), configOf(text), { why: 'test' }, signal));
  const runDue = (since: Date): Promise<BackupRun | string> =>
    toItsEnd(runDueBackup(partsOf(), configOf(plain), since, go));
  const stored = async (): Promise<string[]> =>
    (await readCatalogue(local.store, cluster, undefined, go)).entries.map(({ place }) => place.id.text);

  it('is taken while nobody else works on the cluster, with its tags, and is measured', async () => {
    let holder: string | undefined;
    onLook = async () => void (holder = lock.holder);
    const { result, pruned, error } = await run();
    expect([holder, lock.holder]).toEqual([expect.stringMatching(/^backup on /), undefined]);
    expect([await stored(), pruned, error]).toEqual([[result.place.id.text], [], undefined]);
    expect((await readManifest(local.store, result.place, go)).tags).toEqual({ why: 'test' });
    expect(measures.told).toEqual([
      ['backupCommitted', expect.objectContaining({ snapshotBytes: result.manifest.snapshot.sizeBytes })],
    ]);
  });

  it('waits five minutes for whoever holds the lock, and is then refused', async () => {
    lock.takeAway('defrag on a');
    await expect(run()).rejects.toEqual(wardenError('busy', 'defrag on a'));
    expect(Date.now() - noon.getTime()).toBeGreaterThanOrEqual(300_000);
    expect([looks, await stored()]).toEqual([0, []]);
  });

  it('begins anew where the lock was lost before a stream was opened', async () => {
    onLook = async (look) => void (look === 1 && lock.takeAway());
    const { result } = await run();
    expect([looks, await stored()]).toEqual([2, [result.place.id.text]]);
    expect(local.store.uploads.size).toBe(0);
  });

  it('goes by the compression of the configuration', async () => {
    const { result } = await run(`${minimalConfig}snapshot: {compression: {algorithm: zstd, level: 3}}\n`);
    expect(result.manifest.compression).toMatchObject({ algorithm: 'zstd', level: 3 });
  });

  it('ends with a reason after a day, whatever hangs', async () => {
    onLook = (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const outcome = runBackup(partsOf(), configOf(plain), {}, go).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(24 * 3_600_000);
    expect(await outcome).toEqual(wardenError('run-too-long', '24 h'));
    expect(lock.holder).toBeUndefined();
  });

  it('fails where nobody stores it', async () => {
    const startUpload = (): Promise<never> => Promise.reject(refuses('store-full', 'no room'));
    local = { ...local, store: { ...local.store, startUpload } };
    await expect(run()).rejects.toEqual(wardenError('no-backup-stored', 'no room'));
    expect(measures.told).toEqual([]);
  });

  it('is told as partly done where one repository failed', async () => {
    const { store } = repositoryNamed('far');
    const startUpload = (): Promise<never> => Promise.reject(refuses('store-unreachable', 'no way there'));
    const far = { name: 'far', store: { ...store, startUpload } };
    const { result, error } = await toItsEnd(
      runBackup(partsOf({ repositories: [local, far] }), configOf(plain), {}, go),
    );
    expect([result.stored, error]).toEqual([['local'], wardenError('repositories-failed', 'no way there')]);
    expect(measures.of('backupCommitted')).toHaveLength(1);
  });

  describe('followed by retention', () => {
    const after = `${minimalConfig}    retention: {keepLast: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0, keepMin: 1}
snapshot: {compression: none}
schedules: {prune: {after: backup}}
`;

    it('takes older ones with it, and measures that', async () => {
      await storeBackup(local.store, placeAt('2026-11-24T12:00:00Z', 5n));
      const { result, pruned } = await run(after);
      expect(await stored()).toEqual([result.place.id.text]);
      expect(pruned.map(({ repository }) => repository)).toEqual(['local']);
      expect(measures.of('backupsRemoved')).toEqual([['local', 1]]);
    });

    it('stands though retention is told to stop, and says so', async () => {
      const stop = new AbortController();
      const list: TestRepository['store']['list'] = () => {
        stop.abort(refuses('interrupted', 'ended by SIGTERM'));
        return failingListing(new Error('the socket is gone'));
      };
      local = { ...local, store: { ...local.store, list } };
      const { result, pruned, error } = await run(after, stop.signal);
      expect([result.stored, pruned, error]).toEqual([['local'], [], wardenError('interrupted', 'SIGTERM')]);
    });
  });

  describe('for a time at which one was due', () => {
    it('is taken where the newest one is older', async () => {
      await storeBackup(local.store, placeAt('2026-11-25T11:59:59Z'));
      expect(await runDue(noon)).toMatchObject({ result: { stored: ['local'] }, error: undefined });
      expect(await stored()).toHaveLength(2);
    });

    it('is not taken where there is one of then or later', async () => {
      const place = placeAt('2026-11-25T12:00:00Z');
      await storeBackup(local.store, place);
      expect(await runDue(noon)).toBe(`${place.id.text} in local`);
      expect([looks, measures.told, lock.holder]).toEqual([0, [], undefined]);
    });

    it('is not taken where whoever held the lock meanwhile took one', async () => {
      lock.takeAway('backup on a');
      const place = placeAt('2026-11-25T12:00:05Z');
      setTimeout(() => {
        lock.takeAway();
      }, 10_000);
      const storing = new Promise((resolve) => setTimeout(resolve, 5000)).then(() => storeBackup(local.store, place));
      expect(await runDue(noon)).toBe(`${place.id.text} in local`);
      await storing;
      expect(await stored()).toEqual([place.id.text]);
    });
  });
});
