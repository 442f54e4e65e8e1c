import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDirectoryStore } from '../../../src/adapters/directory/store.ts';
import { keysOf, uploadWhole } from '../../conformance/store-subject.ts';
import { wardenError } from '../../support/errors.ts';

const go = new AbortController().signal;

/** Only root may mount, and not in every container. */
const canMount = await tryToMount();

async function tryToMount(): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'warden-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory], { stdio: 'ignore' });
    execFileSync('umount', [directory]);
    return true;
  } catch {
    return false;
  } finally {
    await rmdir(directory);
  }
}

describe.skipIf(!canMount)('A directory store on a small volume', () => {
  let root: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'warden-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', root]);
  });

  afterAll(async () => {
    execFileSync('umount', [root]);
    await rmdir(root);
  });

  it('says that it is full, leaves nothing of the upload, and has room again', async () => {
    const store = createDirectoryStore({ path: root });
    await expect(uploadWhole(store, 'a/k', randomBytes(20 * 1024 ** 2))).rejects.toMatchObject({ code: 'store-full' });
    expect(await readdir(root)).toEqual([]);
    await uploadWhole(store, 'a/k', randomBytes(4 * 1024 ** 2));
    expect(await keysOf(store, '')).toEqual(['a/k']);
  });

  it('says that it is mounted read-only, and still reads', async () => {
    const store = createDirectoryStore({ path: root });
    execFileSync('mount', ['-o', 'remount,ro', root]);
    try {
      await expect(store.create('b/k', Buffer.from('x'), go)).rejects.toMatchObject({ code: 'store-not-writable' });
      expect(await store.removeAll(['a/k', 'a/none'], go)).toEqual([
        { kind: 'failed', error: wardenError('store-not-writable', `remove ${root}/a/k`) },
        { kind: 'failed', error: wardenError('store-not-writable', `remove ${root}/a/none`) },
      ]);
      expect(await keysOf(store, '')).toEqual(['a/k']);
    } finally {
      execFileSync('mount', ['-o', 'remount,rw', root]);
    }
  });
});
