import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDirectoryStore } from '../../../src/adapters/directory/store.ts';
import type { BackupPlace } from '../../../src/repository/layout.ts';
import { cluster, lineage, placeAt, storeBackup } from '../../support/sample-backup.ts';
import { runCli, type Ran } from '../streams.ts';

const hoursAgo = (hours: number): BackupPlace => placeAt(new Date(Date.now() - hours * 3_600_000).toISOString());
const keepTwo = { keepLast: 2, hourly: 0, daily: 0, weekly: 0, monthly: 0, keepMin: 1 };

describe('prune on the command line', () => {
  let folder: string;
  let places: BackupPlace[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'etcd-warden-cli-'));
    places = [53, 29, 3].map(hoursAgo);
    await configure({ primary: keepTwo });
    for (const place of places) await storeIn('primary', place);
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const run = (...args: string[]): Promise<Ran> =>
    runCli([...args, '--config', join(folder, 'config.yaml'), '--log-level', 'silent']);
  const left = (repository = 'primary'): Promise<string[]> => readdir(join(folder, repository, cluster, lineage));
  const ids = (...indices: number[]): string[] => indices.flatMap((index) => places[index]?.id.text ?? []);

  // field: F096
  it('prints in a dry run the very table that the real run then carries out', async () => {
    const dry = await run('prune', '--dry-run');
    expect(dry.status).toBe(0);
    expect(await left()).toEqual(ids(0, 1, 2));
    const [oldest, middle, newest] = ids(0, 1, 2);
    expect(dry.stdout.split('\n')).toEqual([
      `repository primary, lineage ${lineage}`,
      expect.stringMatching(/^ {2}ID +AGE +STORED +PLAN +WHY$/),
      expect.stringMatching(new RegExp(`^ {2}${newest} +3h 0m +5 B +keep +newest, among the newest 2, `)),
      expect.stringMatching(new RegExp(`^ {2}${middle} +1d 5h +5 B +keep +among the newest 2$`)),
      expect.stringMatching(new RegExp(`^ {2}${oldest} +2d 5h +5 B +remove +no rule keeps it$`)),
      '  would keep 2 and remove 1 (5 B)',
      '',
      '',
    ]);
    const real = await run('prune');
    expect(real.status).toBe(0);
    const done = dry.stdout
      .replace('PLAN   ', 'DONE    ')
      .replaceAll(/ keep {4}/g, ' kept     ')
      .replace(' remove  ', ' removed  ')
      .replace('would keep 2 and remove 1 (5 B)', 'kept 2, removed 1 (5 B)');
    expect(real.stdout).toBe(done);
    expect(await left()).toEqual(ids(1, 2));
  });

  it('is data with --json, dry or not', async () => {
    const dry = await run('prune', '--dry-run', '--json');
    const [oldest] = ids(0);
    expect(dry.json()).toMatchObject({
      dryRun: true,
      repositories: [
        {
          name: 'primary',
          lineage,
          verdict: 'go',
          backups: [
            { action: 'keep' },
            { action: 'keep' },
            { id: oldest, action: 'remove', reasons: ['no rule keeps it'] },
          ],
          swept: null,
        },
      ],
    });
    const real = await run('prune', '--json');
    expect(real.json()).toMatchObject({
      dryRun: false,
      repositories: [{ backups: [{}, {}, { id: oldest, outcome: 'removed', objectsLeft: 0 }] }],
    });
  });

  it('refuses a plan that removes too much, shows it, and goes on with --max-removed', async () => {
    await configure({ primary: { ...keepTwo, keepLast: 1, maxRemovedPercent: '40%' } });
    const refused = await run('prune');
    expect(refused.status).toBe(4);
    expect(refused.stdout).toContain('would keep 1 and remove 2 (10 B), but is refused');
    expect(refused.stdout).toMatch(
      /nothing is removed from primary \(too-many-at-once\): 1 of 2 backups that were there a day ago[^]*REFUSED[^]*would remove/,
    );
    expect(refused.stderr).toContain('--max-removed 100%');
    expect(await left()).toHaveLength(3);
    expect((await run('prune', '--max-removed', '100%')).status).toBe(0);
    expect(await left()).toEqual(ids(2));
  });

  it('ends with 5 where one repository was pruned and another could not be, and names it', async () => {
    await configure({ primary: keepTwo, second: keepTwo });
    await rm(join(folder, 'second'), { recursive: true });
    const ran = await run('prune', '--json');
    expect([ran.status, ran.json()]).toMatchObject([
      5,
      {
        error: {
          code: 'partly-pruned',
          message: expect.stringContaining('second') as string,
        },
      },
    ]);
    expect(await left()).toEqual(ids(1, 2));
  });

  it('of an empty repository says so, and succeeds', async () => {
    await configure({ empty: keepTwo });
    const ran = await run('prune');
    expect([ran.status, ran.stdout]).toEqual([0, 'repository empty\n  no backups\n\n']);
  });

  it('names the lineages that it does not look at', async () => {
    const other = { ...hoursAgo(30), lineage: 'f'.repeat(16) };
    await storeIn('primary', other);
    const ran = await run('prune', '--dry-run');
    expect(ran.stdout).toContain(`not looked at: 1 backup of lineage ${other.lineage}`);
    const nobody = await run('prune', '--dry-run', '--lineage', 'dead', '--json');
    expect([nobody.status, nobody.json()]).toMatchObject([1, { error: { code: 'backup-not-found' } }]);
    const asked = await run('prune', '--dry-run', '--lineage', other.lineage);
    expect(asked.stdout).toContain(`repository primary, lineage ${other.lineage}`);
  });

  it.each<[string, string[], RegExp]>([
    ['a number without a sign', ['--max-removed', '50'], /argument '50' is invalid.*a percentage from 0% to 100%/],
    ['more than all', ['--max-removed', '101%'], /argument '101%' is invalid/],
    ['a lineage that is none', ['--lineage', 'prod'], /argument 'prod' is invalid.*1 to 16 hexadecimal digits/],
    ['something that nobody can accept', ['--accept', 'everything'], /argument 'everything' is invalid/],
    ['a repository that is not configured', ['--repository', 'far'], /must be one of primary, got "far"/],
  ])('%s is wrong usage, and nothing is removed', async (_, args, message) => {
    const ran = await run('prune', ...args, '--json');
    expect([ran.status, ran.json()]).toMatchObject([2, { error: { code: 'usage' } }]);
    expect((ran.json()['error'] as { message: string }).message).toMatch(message);
    expect(await left()).toHaveLength(3);
  });

  async function configure(policies: Readonly<Record<string, object>>): Promise<void> {
    const repositories = Object.entries(policies).map(([name, retention]) => {
      return { name, store: { type: 'directory', path: join(folder, name) }, retention };
    });
    for (const { store } of repositories) await mkdir(store.path, { recursive: true });
    const section = { name: cluster, endpoints: ['http://127.0.0.1:1'] };
    await writeFile(
      join(folder, 'config.yaml'),
      JSON.stringify({ cluster: section, encryption: 'none', repositories }),
    );
  }

  /** As if it had been stored when it was taken. */
  async function storeIn(repository: string, place: BackupPlace): Promise<void> {
    await storeBackup(createDirectoryStore({ path: join(folder, repository) }), place);
    const home = join(folder, repository, cluster, place.lineage, place.id.text);
    for (const name of await readdir(home)) await utimes(join(home, name), place.id.time, place.id.time);
  }
});
