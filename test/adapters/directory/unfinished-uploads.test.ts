import {
  link,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDirectoryStore } from '../../../src/adapters/directory/store.ts';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { allOf, keysOf } from '../../conformance/store-subject.ts';

const go = new AbortController().signal;
const suffix = '.part-0123456789ab';

describe('What a killed process left of its uploads in a directory', () => {
  let outside: string;
  let root: string;
  let store: ObjectStore;

  beforeEach(async () => {
    outside = await mkdtemp(join(tmpdir(), 'warden-unfinished-'));
    root = join(outside, 'root');
    await mkdir(join(root, 'a/b'), { recursive: true });
    store = createDirectoryStore({ path: root });
  });

  afterEach(() => rm(outside, { recursive: true, force: true }));

  const unfinished = (prefix = '') => allOf(store.unfinishedUploads(prefix, go));
  const leave = (path: string) => writeFile(join(root, path), 'part');

  it('is found by the key that it was for, with the time of its last byte', async () => {
    await leave(`.k${suffix}`);
    await leave(`a/b/.k.part-x${suffix}`);
    await utimes(join(root, `a/b/.k.part-x${suffix}`), new Date(), new Date('2026-11-24T14:00:00Z'));
    const found = await unfinished();
    expect(found.map(({ key }) => key).sort()).toEqual(['a/b/k.part-x', 'k']);
    expect(found.find(({ key }) => key === 'a/b/k.part-x')?.touchedAt).toEqual(new Date('2026-11-24T14:00:00Z'));
    expect((await unfinished('a/b/k')).map(({ key }) => key)).toEqual(['a/b/k.part-x']);
    expect(await unfinished('a/b/.k')).toEqual([]);
  });

  it('goes, together with the folders that are empty then', async () => {
    await leave(`a/b/.k${suffix}`);
    await store.create('a/l', Buffer.from('x'), go);
    for (const upload of await unfinished()) await upload.abort(go);
    expect(await readdir(root, { recursive: true })).toEqual(['a', 'a/l']);
  });

  it('is aborted without complaint though somebody else was faster', async () => {
    await leave(`a/b/.k${suffix}`);
    const [upload] = await unfinished();
    await rm(join(root, 'a'), { recursive: true });
    await expect(upload?.abort(go)).resolves.toBeUndefined();
  });

  it('does not take the object with it that it had become', async () => {
    await store.create('a/k', Buffer.from('whole'), go);
    await link(join(root, 'a/k'), join(root, `a/.k${suffix}`));
    for (const upload of await unfinished()) await upload.abort(go);
    expect(await readdir(join(root, 'a'))).toContain('k');
    expect(await readFile(join(root, 'a/k'), 'utf8')).toBe('whole');
    expect(await unfinished()).toEqual([]);
  });

  it('is told from everything else that is hidden, foreign or no file', async () => {
    await mkdir(join(root, '.snapshot'));
    await mkdir(join(root, 'lost+found'), { mode: 0o000 });
    await mkdir(join(root, `a/.folder${suffix}`));
    await writeFile(join(outside, 'secret'), 'secret');
    await symlink(join(outside, 'secret'), join(root, `a/.link${suffix}`));
    await symlink(join(root, 'a'), join(root, 'linked'));
    const foreign = ['.hidden', '.k.swp', `k${suffix}`, `..k${suffix}`, `.${suffix}`, `.k${suffix}~`, 'a/.k.part-1'];
    for (const path of [...foreign, `.snapshot/.k${suffix}`]) await leave(path);
    const before = await readdir(root, { recursive: true });
    for (const upload of await unfinished()) await upload.abort(go);
    expect(await unfinished()).toEqual([]);
    expect(await readdir(root, { recursive: true })).toEqual(before);
    expect(await keysOf(store, '')).toEqual([`k${suffix}`]);
  });

  it('is not looked for behind a key that no object could have', async () => {
    const parts = Array.from({ length: 5 }, () => 'x'.repeat(200));
    const deep = join(...parts, 'y'.repeat(30));
    await mkdir(join(root, deep), { recursive: true });
    await leave(join(deep, `.k${suffix}`));
    expect(await unfinished()).toEqual([]);
  });

  it('is not followed out of the root by a link that took its folder’s place', async () => {
    await leave(`a/b/.k${suffix}`);
    const [upload] = await unfinished();
    await rename(join(root, 'a'), join(outside, 'moved'));
    await symlink(join(outside, 'moved'), join(root, 'a'));
    await expect(upload?.abort(go)).rejects.toMatchObject({ code: 'store-not-writable' });
    expect((await stat(join(outside, 'moved/b', `.k${suffix}`))).size).toBe(4);
  });

  it('cannot be looked for on a volume that is not mounted', async () => {
    await rm(root, { recursive: true });
    await expect(unfinished()).rejects.toMatchObject({ code: 'store-not-writable' });
  });
});
