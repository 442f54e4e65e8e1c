import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, mkdtemp, readFile, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDirectoryStore } from '../../../src/adapters/directory/store.ts';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { keysOf, uploadWhole } from '../../conformance/store-subject.ts';

const go = new AbortController().signal;
const body = Buffer.from('body');

describe('A directory store', () => {
  let outside: string;
  let root: string;
  let store: ObjectStore;

  beforeEach(async () => {
    outside = await mkdtemp(join(tmpdir(), 'warden-store-'));
    root = join(outside, 'root');
    await mkdir(root);
    store = createDirectoryStore({ path: root });
  });

  afterEach(() => rm(outside, { recursive: true, force: true }));

  it('lets nobody but its owner read what it stores', async () => {
    await store.create('a/b/k', body, go);
    expect((await lstat(join(root, 'a'))).mode & 0o777).toBe(0o700);
    expect((await lstat(join(root, 'a/b'))).mode & 0o777).toBe(0o700);
    expect((await lstat(join(root, 'a/b/k'))).mode & 0o777).toBe(0o600);
  });

  it.each([
    '',
    '/abs',
    'a//b',
    '../up',
    'a/../b',
    'a/..',
    '.',
    './a',
    'a/.hidden',
    'nul\0',
    'end/',
    'x'.repeat(201),
    '\uD800',
  ])('refuses the key %j', async (key) => {
    await expect(store.create(key, body, go)).rejects.toMatchObject({ code: 'store-refused' });
    await expect(store.read(key, {}, go)).rejects.toMatchObject({ code: 'store-refused' });
    expect(await readdir(outside)).toEqual(['root']);
  });

  it('does not follow a symbolic link out of its root', async () => {
    await mkdir(join(outside, 'elsewhere'));
    await writeFile(join(outside, 'elsewhere', 'secret'), 'secret');
    await symlink(join(outside, 'elsewhere'), join(root, 'link'));
    const calls = [
      () => store.create('link/k', body, go),
      () => store.startUpload('link/k', { maxBytes: 1 }, go),
      () => store.read('link/secret', {}, go),
      () => store.stat('link/secret', go),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'store-not-writable' });
    expect(await keysOf(store, '')).toEqual([]);
    expect(await keysOf(store, 'link/')).toEqual([]);
    expect(await readdir(join(outside, 'elsewhere'))).toEqual(['secret']);
  });

  it('neither reads nor replaces a link in an object’s place', async () => {
    await writeFile(join(outside, 'secret'), 'secret');
    await symlink(join(outside, 'secret'), join(root, 'k'));
    await expect(store.read('k', {}, go)).rejects.toMatchObject({ code: 'store-not-writable' });
    await expect(store.stat('k', go)).rejects.toMatchObject({ code: 'store-not-writable' });
    await expect(store.create('k', body, go)).rejects.toMatchObject({ code: 'store-object-exists' });
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
    expect(await keysOf(store, '')).toEqual([]);
  });

  it('does not wait for ever on a pipe in an object’s place', async () => {
    execFileSync('mkfifo', [join(root, 'k')]);
    await expect(store.read('k', {}, go)).rejects.toMatchObject({ code: 'store-not-writable' });
  });

  it('takes a root that is a link', async () => {
    await symlink(root, join(outside, 'link'));
    const linked = createDirectoryStore({ path: join(outside, 'link') });
    await linked.create('a/k', body, go);
    expect(await keysOf(linked, '')).toEqual(['a/k']);
  });

  it('never makes its root: a volume that is not mounted is an error, not an empty store', async () => {
    const missing = createDirectoryStore({ path: join(outside, 'not-mounted') });
    const calls = [
      () => missing.create('k', body, go),
      () => missing.stat('k', go),
      () => missing.read('k', {}, go),
      () => keysOf(missing, ''),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'store-not-writable' });
    expect(await readdir(outside)).toEqual(['root']);
  });

  it('lists what people put there, but no hidden, temporary or special files', async () => {
    await store.create('a/k', body, go);
    await writeFile(join(root, 'a', 'README.txt'), 'by hand');
    await writeFile(join(root, '.hidden'), '');
    await mkdir(join(root, 'lost+found'), { mode: 0o000 });
    await using running = await store.startUpload('a/running', { maxBytes: 10 }, go);
    await running.write(body);
    expect(await keysOf(store, '')).toEqual(['a/README.txt', 'a/k']);
    await chmod(join(root, 'lost+found'), 0o700);
  });

  it('stores into folders that others empty at the same time', async () => {
    for (let round = 0; round < 20; round += 1) {
      await store.create('a/b/old', body, go);
      await Promise.all([store.removeAll(['a/b/old'], go), store.create('a/b/new', body, go)]);
      expect(await keysOf(store, '')).toEqual(['a/b/new']);
      await store.removeAll(['a/b/new'], go);
    }
  });

  // field: F100
  it('never takes a file that got shorter for a whole one', async () => {
    await uploadWhole(store, 'k', randomBytes(5 * 1024 ** 2));
    await using opened = await store.read('k', {}, go);
    await truncate(join(root, 'k'), 1024 ** 2);
    const reading = (async () => {
      for await (const block of opened) expect(block.length).toBeGreaterThan(0);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'store-failed' });
    expect(await store.stat('k', go)).toMatchObject({ sizeBytes: 1024 ** 2 });
  });
});
