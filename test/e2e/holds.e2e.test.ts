import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { type EndedWarden, requireStatus, startWarden } from './support/warden-process.ts';
import { makeTempFolder, type TempFolder, writeConfig } from './support/warden.ts';

interface Document {
  readonly backup: string;
  readonly repositories: readonly { readonly name: string; readonly backups: readonly { readonly id: string }[] }[];
}

/** Whatever is not held goes, but for the newest. */
const keepNewest = {
  keepLast: 1,
  keepMin: 1,
  hourly: 0,
  daily: 0,
  weekly: 0,
  monthly: 0,
  yearly: 0,
  maxRemovedPercent: '100%',
};

/** One story from the first backup to the release of its hold: each test goes on where the one before ended. */
describe('a backup that somebody holds', () => {
  let cluster: Cluster;
  let folder: TempFolder;
  let configFile: string;
  let held: string;
  let newer: string;

  beforeAll(async () => {
    [cluster, folder] = await Promise.all([startCluster(), makeTempFolder()]);
    for (const name of ['primary', 'local']) await mkdir(join(folder.path, name));
    configFile = await configure('prod');
    held = await backUp();
  });
  afterAll(async () => {
    await Promise.all([cluster?.[Symbol.asyncDispose](), folder?.[Symbol.asyncDispose]()]);
  });

  const configure = async (name: string): Promise<string> => {
    const home = join(folder.path, `as-${name}`);
    await mkdir(home);
    return writeConfig(home, {
      cluster: { name, endpoints: cluster.endpoints },
      encryption: 'none',
      repositories: ['primary', 'local'].map((repository) => ({
        name: repository,
        store: { type: 'directory', path: join(folder.path, repository) },
        retention: keepNewest,
      })),
      schedules: { prune: { cron: '0 3 * * *' } },
    });
  };
  const run = (...args: string[]): Promise<EndedWarden> => startWarden(args, { configFile }).ended;
  const runJson = async (status: number, ...args: string[]): Promise<unknown> =>
    requireStatus(await run(...args, '--json'), status).json();
  const backUp = async (...args: string[]): Promise<string> =>
    ((await runJson(0, 'backup', ...args)) as Document).backup;
  const prune = async (): Promise<string[]> => {
    requireStatus(await run('prune', '--repository', 'primary'), 0);
    const { repositories } = (await runJson(0, 'list', '--repository', 'primary')) as Document;
    return repositories.flatMap(({ backups }) => backups.map(({ id }) => id));
  };
  const holdFiles = async (): Promise<string[]> => {
    const files = await readdir(folder.path, { recursive: true });
    return files.filter((file) => /\/hold-[^/]*$/.test(file)).sort();
  };

  test('is held in every repository by a file beside it, with the reason in the log', async () => {
    const ended = requireStatus(await run('hold', 'latest', '--reason', 'before the upgrade', '--json'), 0);
    expect(ended.json()).toEqual({
      backup: held,
      hold: 'manual',
      repositories: ['primary', 'local'].map((name) => ({ name, result: 'held' })),
    });
    expect(await holdFiles()).toEqual([
      expect.stringMatching(new RegExp(`^local/prod/[0-9a-f]{16}/${held}/hold-manual\\.json$`)),
      expect.stringMatching(new RegExp(`^primary/prod/[0-9a-f]{16}/${held}/hold-manual\\.json$`)),
    ]);
    const lines = ended.stderr.split('\n').filter((line) => line.includes('backup held'));
    const logged = lines.map((line) => JSON.parse(line) as { readonly repository: string });
    expect(logged.sort((a, b) => a.repository.localeCompare(b.repository))).toMatchObject(
      ['local', 'primary'].map((repository) => {
        return { level: 'info', repository, backup: held, hold: 'manual', reason: 'before the upgrade' };
      }),
    );
  });

  test('is shown and listed as held', async () => {
    const hold = { name: 'manual', reason: 'before the upgrade', at: expect.stringMatching(/Z$/) as unknown };
    expect(await runJson(0, 'show', held)).toMatchObject({ state: 'complete', holds: [hold] });
    expect(await runJson(0, 'list')).toMatchObject({
      repositories: ['primary', 'local'].map((name) => ({ name, backups: [{ id: held, holds: ['manual'] }] })),
    });
    expect(requireStatus(await run('list'), 0).stdout).toMatch(/complete, held/);
    expect(requireStatus(await run('show', held), 0).stdout).toMatch(/^held +manual, since .*: before the upgrade$/m);
  });

  test('is told to be held already, with the reason that stands', async () => {
    const again = requireStatus(await run('hold', held, '--reason', 'because'), 0);
    expect(again.stdout.match(/held already, since .*: before the upgrade$/gm)).toHaveLength(2);
    expect(await holdFiles()).toHaveLength(2);
  });

  test('is the very same one where the newest is another one in each repository', async () => {
    await rm(join(folder.path, 'local'), { recursive: true });
    newer = ((await runJson(5, 'backup')) as Document).backup;
    await mkdir(join(folder.path, 'local'));
    expect(await runJson(0, 'hold', 'latest', '--reason', 'audit', '--name', 'audit')).toMatchObject({
      backup: newer,
      repositories: [
        { name: 'primary', result: 'held' },
        { name: 'local', result: 'absent' },
      ],
    });
    expect((await holdFiles()).map((file) => file.split('/').at(-2))).toEqual([held, newer]);
  });

  test.each<[string, number, string, string[]]>([
    ['no reason', 2, 'usage', ['hold', 'latest']],
    ['a name that is none', 2, 'usage', ['hold', 'latest', '--reason', 'x', '--name', 'A/B']],
    ['a backup that is not there', 1, 'backup-not-found', ['hold', '2001', '--reason', 'x']],
    ['an id that fits several', 1, 'backup-ambiguous', ['hold', '20', '--reason', 'x']],
    ['a hold that is not there', 1, 'hold-not-found', ['release', 'latest', '--name', 'manual']],
  ])('stays as it is where %s is given', async (_, status, code, args) => {
    const before = await holdFiles();
    expect(await runJson(status, ...args)).toMatchObject({ error: { code } });
    expect(await holdFiles()).toEqual(before);
  });

  test('outlives what retention would remove', async () => {
    expect(await prune()).toEqual([newer, held]);
  });

  test('is released by name, or without one where there is only one', async () => {
    await runJson(0, 'hold', held, '--reason', 'audit', '--name', 'audit');
    expect(await runJson(1, 'release', held)).toMatchObject({
      error: { code: 'hold-ambiguous', details: { holds: ['audit', 'manual'] } },
    });
    expect(await runJson(0, 'release', held, '--name', 'audit')).toMatchObject({
      repositories: [
        { name: 'primary', result: 'released', otherHolds: ['manual'] },
        { name: 'local', result: 'absent' },
      ],
    });
    const released = requireStatus(await run('release', held), 0);
    expect(released.stdout).toMatch(/released\n.*retention may remove this backup at the next prune\n$/s);
    expect(await runJson(0, 'show', held)).toMatchObject({ holds: [] });
    expect(await prune()).toEqual([newer]);
  });

  // field: F086
  test('is reported as unmanaged once the cluster has another name, and left alone', async () => {
    const former = await readdir(join(folder.path, 'primary', 'prod'), { recursive: true });
    configFile = await configure('renamed');
    await backUp();
    // Of two that begin in one second the revision tells which is newer.
    await cluster.etcdctl(['put', 'tick', 'tock']);
    const newest = await backUp();
    expect(await prune()).toEqual([newest]);
    expect(await runJson(0, 'list', '--all')).toMatchObject({
      repositories: [
        { name: 'primary', otherClusters: ['prod'], backups: [{ id: newest }] },
        { name: 'local', otherClusters: [] },
      ],
    });
    expect(requireStatus(await run('list', '--all'), 0).stdout).toContain('backups of prod there are unmanaged');
    expect(await readdir(join(folder.path, 'primary', 'prod'), { recursive: true })).toEqual(former);
  });
});
