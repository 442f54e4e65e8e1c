import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDirectoryStore } from '../../../src/adapters/directory/store.ts';
import { cluster, lineage, placeAt, storeBackup } from '../../support/sample-backup.ts';
import { runCli, type Ran } from '../streams.ts';

const [older, newer] = [placeAt('2026-11-24T13:00:00Z'), placeAt('2026-11-24T14:00:00Z')];
const id = newer.id.text;
const reason = ['--reason', 'before 3.7'];

describe('holds on the command line', () => {
  let folder: string;
  const run = (...args: string[]): Promise<Ran> =>
    runCli([...args, '--config', join(folder, 'config.yaml'), '--log-level', 'silent']);
  const folderOf = (repository: string, backup = id): string => join(folder, repository, cluster, lineage, backup);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'etcd-warden-cli-'));
    const repositories = ['primary', 'local'].map((name) => ({
      name,
      store: { type: 'directory', path: join(folder, name) },
    }));
    for (const { store } of repositories) {
      await mkdir(store.path);
      await storeBackup(createDirectoryStore(store), older);
    }
    await storeBackup(createDirectoryStore({ path: join(folder, 'primary') }), newer);
    const section = { name: cluster, endpoints: ['http://127.0.0.1:1'] };
    await writeFile(
      join(folder, 'config.yaml'),
      JSON.stringify({ cluster: section, encryption: 'none', repositories }),
    );
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it.each<[string, string[], RegExp]>([
    ['no reason', ['hold', id], /required option '--reason <text>' not specified/],
    ['an empty reason', ['hold', id, '--reason', ''], /'--reason <text>' argument '' is invalid.*1 to 500 characters/],
    ['a reason of two lines', ['hold', id, '--reason', 'a\nb'], /'--reason <text>'.*in one line/],
    [
      'a name in capitals',
      ['hold', id, ...reason, '--name', 'Audit'],
      /'--name <name>' argument 'Audit' is invalid.*1 to 40 of a-z, 0-9 and -/,
    ],
    ['a name that leads elsewhere', ['release', id, '--name', '../x'], /'--name <name>' argument '\.\.\/x'/],
    ['a repository that is not configured', ['hold', id, ...reason, '--repository', 'far'], /one of primary, local/],
  ])('%s is wrong usage, and nothing is written', async (_, args, message) => {
    const ran = await run(...args, '--json');
    expect([ran.status, ran.json()]).toMatchObject([2, { error: { code: 'usage' } }]);
    expect((ran.json()['error'] as { message: string }).message).toMatch(message);
    expect(await readdir(folderOf('primary'))).toEqual(['manifest.json', 'snapshot.db']);
  });

  it('hold, show, list and release tell the same story', async () => {
    const held = await run('hold', 'latest', ...reason);
    expect([held.status, held.stdout]).toEqual([
      0,
      `backup ${id}, hold manual\n  primary  held\n  local    does not have this backup\n`,
    ]);
    const again = await run('hold', id, '--reason', 'another one');
    expect(again.status).toBe(0);
    expect(again.stdout).toMatch(/^ {2}primary {2}held already, since \d{4}-.*Z: before 3\.7$/m);
    expect((await run('show', id)).stdout).toMatch(/^held +manual, since \d{4}-.*Z: before 3\.7$/m);
    expect((await run('list')).stdout).toMatch(new RegExp(`^ {2}${id} .*complete, held`, 'm'));
    const released = await run('release', id);
    expect([released.status, released.stdout]).toEqual([
      0,
      `backup ${id}, hold manual\n  primary  released\n  local    does not have this backup\nretention may remove this backup at the next prune\n`,
    ]);
    expect((await run('list')).stdout).not.toContain('held');
  });

  it('prints the same as JSON', async () => {
    expect((await run('hold', older.id.text, ...reason, '--name', 'audit', '--json')).json()).toEqual({
      backup: older.id.text,
      hold: 'audit',
      repositories: ['primary', 'local'].map((name) => ({ name, result: 'held' })),
    });
    const told = { reason: 'before 3.7', at: expect.stringMatching(/^\d{4}-.*Z$/) as unknown };
    expect((await run('hold', older.id.text, ...reason, '--name', 'audit', '--json')).json()).toMatchObject({
      repositories: ['primary', 'local'].map((name) => ({ name, result: 'held-already', ...told })),
    });
    expect((await run('show', older.id.text, '--json')).json()).toMatchObject({
      state: 'complete',
      holds: [{ name: 'audit', ...told }],
      lockedUntil: null,
      hasLegalHold: false,
      storageClass: null,
    });
    expect((await run('release', older.id.text, '--json')).json()).toEqual({
      backup: older.id.text,
      hold: 'audit',
      repositories: ['primary', 'local'].map((name) => ({ name, result: 'released', otherHolds: [] })),
    });
  });

  it('shows a hold that cannot be read by its name', async () => {
    await writeFile(join(folderOf('primary'), 'hold-audit.json'), 'nonsense');
    expect((await run('show', id)).stdout).toMatch(/^held +audit, for a reason that cannot be read$/m);
    expect((await run('show', id, '--json')).json()).toMatchObject({
      holds: [{ name: 'audit', reason: null, at: null }],
    });
    expect((await run('hold', id, ...reason, '--name', 'audit')).stdout).toContain('for a reason that cannot be read');
  });

  it('does not promise that retention may remove what is held under another name', async () => {
    for (const name of ['audit', 'upgrade']) await run('hold', id, ...reason, '--name', name);
    const ambiguous = await run('release', id, '--json');
    expect([ambiguous.status, ambiguous.json()]).toMatchObject([1, { error: { code: 'hold-ambiguous' } }]);
    const released = await run('release', id, '--name', 'audit');
    expect(released.stdout).toContain('released, still held by upgrade\n');
    expect(released.stdout).not.toContain('retention');
    const gone = await run('release', id, '--name', 'audit', '--json');
    expect([gone.status, gone.json()]).toMatchObject([
      1,
      { error: { code: 'hold-not-found', message: `${id} is not held by audit, only by upgrade` } },
    ]);
  });

  it('is partly done with status 5 where a repository fails, and fails where all do', async () => {
    await rm(join(folder, 'local'), { recursive: true });
    const partly = await run('hold', older.id.text, ...reason, '--json');
    expect([partly.status, partly.json()]).toMatchObject([
      5,
      {
        repositories: [
          { name: 'primary', result: 'held' },
          { name: 'local', result: 'failed', code: 'store-not-writable' },
        ],
        error: { code: 'partly-held', details: { failed: ['local'], codes: ['store-not-writable'] } },
      },
    ]);
    expect((await run('release', older.id.text)).status).toBe(5);
    await rm(join(folder, 'primary'), { recursive: true });
    const failed = await run('hold', older.id.text, ...reason, '--json');
    expect([failed.status, failed.json()]).toMatchObject([1, { error: { code: 'store-not-writable' } }]);
  });

  // field: F100
  it('shows an empty snapshot and one that lacks a byte as damaged, and neither is the latest', async () => {
    await truncate(join(folderOf('primary', newer.id.text), 'snapshot.db'), 0);
    await truncate(join(folderOf('primary', older.id.text), 'snapshot.db'), 4);
    const listed = await run('list', '--check', '--repository', 'primary', '--json');
    expect([listed.status, listed.json()]).toMatchObject([
      3,
      {
        error: { code: 'object-damaged' },
        repositories: [
          {
            backups: [
              { id, state: 'damaged', finding: '0 bytes are stored, the manifest says 5' },
              { id: older.id.text, state: 'damaged', finding: '4 bytes are stored, the manifest says 5' },
            ],
          },
        ],
      },
    ]);
    expect((await run('hold', 'latest', ...reason, '--json')).json()).toMatchObject({ backup: older.id.text });
    expect((await run('hold', id, ...reason)).status).toBe(0);
  });
});
