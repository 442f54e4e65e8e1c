import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import type { BackupPlace } from '../../src/repository/layout.ts';
import { openS3Store, startS3Server, type S3Server } from '../support/s3.ts';
import { awsEnvironment, cloudRepository } from './support/places.ts';
import { series, storeSeries } from './support/stored-series.ts';
import { requireStatus, startWarden } from './support/warden-process.ts';
import { makeTempFolder, writeConfig, type TempFolder } from './support/warden.ts';

const cluster = 'prod';
const lineage = '0123456789abcdef';
const keepOne = { keepLast: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0, keepMin: 1, maxRemovedPercent: '100%' };

interface PrunedDocument {
  readonly repositories: readonly {
    readonly backups: readonly {
      readonly id: string;
      readonly action: string;
      readonly reasons: readonly string[];
      readonly outcome?: string;
      readonly lockedUntil?: string;
    }[];
  }[];
}

describe('Pruning a bucket with object lock', () => {
  let s3: S3Server;
  let folder: TempFolder;
  let bucket: string;
  let stores: ObjectStore[];

  beforeAll(async () => {
    s3 = await startS3Server();
  });

  afterAll(async () => {
    await s3[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    folder = await makeTempFolder();
    bucket = await s3.makeBucket({ objectLock: true });
    stores = [];
  });

  afterEach(async () => {
    for (const store of stores) await store[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const open = (objectLock?: {
    readonly mode: 'governance' | 'compliance';
    readonly retainMs: number;
  }): ObjectStore => {
    const store = openS3Store(s3, bucket, objectLock === undefined ? {} : { objectLock });
    stores.push(store);
    return store;
  };
  const prune = async (store: object = {}): Promise<PrunedDocument> => {
    const configFile = await writeConfig(folder.path, {
      cluster: { name: cluster, endpoints: ['http://127.0.0.1:1'] },
      encryption: 'none',
      repositories: [{ ...cloudRepository(s3.endpoint, bucket, store), retention: keepOne }],
      schedules: { backup: { cron: '* * * * *' } },
    });
    await using warden = startWarden(['prune', '--json'], { configFile, env: awsEnvironment(s3.credentials) });
    return requireStatus(await warden.ended, 0).json() as PrunedDocument;
  };

  // field: F142
  it.each(['governance', 'compliance'] as const)(
    'in %s mode reports what is locked until when, removes the rest, and the locked ones after their lock',
    async (mode) => {
      const places = series(cluster, lineage, { count: 5, everyMs: 60_000, newest: new Date() });
      const [first, second, third, fourth, newest] = places as [
        BackupPlace,
        BackupPlace,
        BackupPlace,
        BackupPlace,
        BackupPlace,
      ];
      const retainMs = 15_000;
      await storeSeries(open({ mode, retainMs }), [first, second]);
      const lockedAtMs = Date.now();
      await storeSeries(open(), [third, fourth, newest]);

      const outcomes = await prune();
      expect(outcomesOf(outcomes)).toEqual({
        [newest.id.text]: 'keep',
        [fourth.id.text]: 'removed',
        [third.id.text]: 'removed',
        [second.id.text]: 'locked',
        [first.id.text]: 'locked',
      });
      const until = outcomes.repositories[0]?.backups.at(-1)?.lockedUntil ?? '';
      expect(Date.parse(until)).toBeGreaterThan(lockedAtMs);
      expect(Date.parse(until)).toBeLessThanOrEqual(lockedAtMs + retainMs + 1000);
      expect(await foldersOf(bucket)).toEqual([first, second, newest].map(({ id }) => id.text));

      await sleep(lockedAtMs + retainMs + 2000 - Date.now());
      expect(outcomesOf(await prune())).toEqual({
        [newest.id.text]: 'keep',
        [second.id.text]: 'removed',
        [first.id.text]: 'removed',
      });
      expect(await foldersOf(bucket)).toEqual([newest.id.text]);
      expect(await s3.versions(bucket)).toHaveLength(2);
    },
  );

  it('plans with the lock that the configuration sets, and asks for no removal that it would refuse', async () => {
    const places = series(cluster, lineage, { count: 3, everyMs: 60_000, newest: new Date() });
    await storeSeries(open({ mode: 'compliance', retainMs: 86_400_000 }), places);
    const { repositories } = await prune({ objectLock: { mode: 'compliance', retain: '1d' } });
    expect(repositories[0]?.backups.map(({ action }) => action)).toEqual(['keep', 'keep', 'keep']);
    expect(repositories[0]?.backups.at(-1)?.reasons).toEqual([expect.stringMatching(/^locked until 20\d\d-/)]);
  });

  async function foldersOf(name: string): Promise<string[]> {
    const keys = await s3.objectNames(name);
    return [...new Set(keys.map((key) => key.split('/')[2] ?? ''))];
  }
});

function outcomesOf({ repositories }: PrunedDocument): Record<string, string> {
  return Object.fromEntries((repositories[0]?.backups ?? []).map(({ id, action, outcome }) => [id, outcome ?? action]));
}
