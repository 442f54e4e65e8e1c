import type * as FileSystem from 'node:fs/promises';
import { mkdir, mkdtemp, open, readFile, readdir, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDirectoryStore } from '../../../src/adapters/directory/store.ts';
import type { ObjectStore, RemovalOutcome } from '../../../src/ports/object-store.ts';
import { keysOf } from '../../conformance/store-subject.ts';
import { wardenError } from '../../support/errors.ts';

/** As it is, but for tests that count calls, delay them or let them fail. */
vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof FileSystem>();
  return {
    ...original,
    open: vi.fn<typeof original.open>(original.open),
    unlink: vi.fn<typeof original.unlink>(original.unlink),
  };
});

const go = new AbortController().signal;
const body = Buffer.from('body');
const removed: RemovalOutcome = { kind: 'removed', isKeptAsVersion: false };

describe('A directory store removes objects', () => {
  let outside: string;
  let root: string;
  let store: ObjectStore;

  beforeEach(async () => {
    outside = await mkdtemp(join(tmpdir(), 'warden-remove-'));
    root = join(outside, 'root');
    await mkdir(root);
    store = createDirectoryStore({ path: root });
  });

  afterEach(async () => {
    vi.mocked(open).mockReset();
    vi.mocked(unlink).mockReset();
    await rm(outside, { recursive: true, force: true });
  });

  const storeAll = async (...keys: string[]) => {
    for (const key of keys) await store.create(key, body, go);
  };

  it('and folders with their last object, but only those below its root', async () => {
    await storeAll('a/b/k', 'a/b/l', 'a/m');
    await store.removeAll(['a/b/k', 'a/b/l'], go);
    expect(await readdir(join(root, 'a'))).toEqual(['m']);
    await store.removeAll(['a/m'], go);
    expect(await readdir(root)).toEqual([]);
  });

  it('and leaves a folder in which somebody keeps something else', async () => {
    await storeAll('a/b/k');
    await writeFile(join(root, 'a', '.hidden'), '');
    expect(await store.removeAll(['a/b/k'], go)).toEqual([removed]);
    expect(await readdir(root, { recursive: true })).toEqual(['a', 'a/.hidden']);
  });

  it.each(['', '/abs', 'a//b', '../up', 'a/../b', 'a/.hidden', 'end/', 'x'.repeat(201), '\uD800'])(
    'but refuses the key %j, and goes on with the others',
    async (key) => {
      await writeFile(join(outside, 'up'), '');
      await storeAll('a/k', 'b/k');
      expect(await store.removeAll(['a/k', key, 'b/k'], go)).toEqual([
        removed,
        { kind: 'failed', error: wardenError('store-refused', JSON.stringify(key)) },
        removed,
      ]);
      expect((await readdir(outside)).sort()).toEqual(['root', 'up']);
    },
  );

  it('but follows no link out of its root', async () => {
    await mkdir(join(outside, 'elsewhere'));
    await writeFile(join(outside, 'elsewhere', 'secret'), 'secret');
    await symlink(join(outside, 'elsewhere'), join(root, 'link'));
    await symlink(join(outside, 'elsewhere', 'secret'), join(root, 'file-link'));
    await storeAll('a/k');
    expect(await store.removeAll(['link/secret', 'file-link', 'a/k'], go)).toEqual([
      { kind: 'failed', error: wardenError('store-not-writable', 'symbolic link') },
      removed,
      removed,
    ]);
    expect(await readFile(join(outside, 'elsewhere', 'secret'), 'utf8')).toBe('secret');
  });

  it('but no folder in an object’s place, and nothing below a file', async () => {
    await storeAll('a/k');
    const failed = { kind: 'failed', error: wardenError('store-not-writable') };
    expect(await store.removeAll(['a', 'a/k/l'], go)).toEqual([failed, failed]);
    expect(await keysOf(store, '')).toEqual(['a/k']);
  });

  it('but does not take a volume that is not mounted for an empty store', async () => {
    await rm(root, { recursive: true });
    const failed = { kind: 'failed', error: wardenError('store-not-writable', root) };
    expect(await store.removeAll(['k', 'a/k'], go)).toEqual([failed, failed]);
  });

  it('folder by folder, each made durable once', async () => {
    await storeAll('a/1', 'b/1', 'a/2', 'c', 'a/3');
    vi.mocked(open).mockClear();
    await store.removeAll(['a/1', 'b/1', 'a/2', 'c', 'none/1', 'a/3'], go);
    expect(vi.mocked(open).mock.calls.map(([path]) => path)).toEqual([join(root, 'a'), join(root, 'b'), root]);
  });

  it('and says of each that it may come back where its folder cannot be made durable', async () => {
    await storeAll('a/1', 'a/2', 'b/1');
    vi.mocked(open).mockRejectedValueOnce(Object.assign(new Error('EIO'), { code: 'EIO' }));
    const failed = (key: string) => ({ kind: 'failed', error: wardenError('store-failed', `${root}/${key} durable`) });
    expect(await store.removeAll(['a/1', 'a/none', 'b/1', 'a/2'], go)).toEqual([
      failed('a/1'),
      failed('a/none'),
      removed,
      failed('a/2'),
    ]);
    expect(await keysOf(store, '')).toEqual([]);
    vi.mocked(open).mockClear();
    expect(await store.removeAll(['a/1', 'a/2'], go)).toEqual([removed, removed]);
    expect(vi.mocked(open).mock.calls.map(([path]) => path)).toEqual([join(root, 'a')]);
    expect(await readdir(root)).toEqual([]);
  });

  it('while others remove their neighbours and their folder', async () => {
    for (let round = 0; round < 20; round += 1) {
      const keys = Array.from({ length: 8 }, (_, at) => `a/b/${at}`);
      await storeAll(...keys);
      const outcomes = await Promise.all(keys.map((key) => store.removeAll([key], go)));
      expect(outcomes.flat()).toEqual(keys.map(() => removed));
      expect(await readdir(root)).toEqual([]);
    }
  });

  it('and begins no further removal once it was interrupted', async () => {
    await storeAll('a/1', 'a/2', 'b/1', 'c/1');
    vi.mocked(unlink).mockClear();
    const reached = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    vi.mocked(unlink).mockImplementationOnce(() => {
      reached.resolve();
      return answer.promise;
    });
    const stop = new AbortController();
    const removing = store.removeAll(['a/1', 'a/2', 'b/1'], stop.signal);
    await reached.promise;
    stop.abort();
    await expect(removing).rejects.toMatchObject({ code: 'interrupted' });
    answer.resolve();
    await store.removeAll(['c/1'], go);
    expect(vi.mocked(unlink).mock.calls.map(([path]) => path)).toEqual([join(root, 'a/1'), join(root, 'c/1')]);
  });
});
