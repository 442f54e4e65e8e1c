import type * as FileSystem from 'node:fs/promises';
import { link, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { publishFile } from '../../../src/adapters/system/publish-file.ts';

/** A volume without hard links cannot be mounted everywhere that tests run; `link` fails as it would there. */
vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof FileSystem>();
  return { ...original, link: vi.fn<typeof original.link>(original.link) };
});

describe.each([undefined, 'EPERM', 'ENOTSUP', 'ENOSYS'])('Publishing a file where link fails with %s', (code) => {
  let folder: string;
  const at = (name: string) => join(folder, name);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warden-publish-'));
    if (code === undefined) return;
    vi.mocked(link).mockImplementation(() => Promise.reject(Object.assign(new Error(code), { code })));
  });

  afterEach(async () => {
    vi.mocked(link).mockReset();
    await rm(folder, { recursive: true });
  });

  it('gives it its name, and keeps its mode', async () => {
    await writeFile(at('temporary'), 'bytes', { mode: 0o600 });
    await publishFile(at('temporary'), at('name'));
    expect(await readFile(at('name'), 'utf8')).toBe('bytes');
    expect((await stat(at('name'))).mode & 0o777).toBe(0o600);
  });

  it('never replaces a file, nor a link that leads nowhere', async () => {
    await writeFile(at('temporary'), 'bytes');
    await writeFile(at('taken'), 'first');
    await symlink(at('nowhere'), at('link'));
    await expect(publishFile(at('temporary'), at('taken'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(publishFile(at('temporary'), at('link'))).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await readFile(at('taken'), 'utf8')).toBe('first');
    expect((await readdir(folder)).toSorted()).toEqual(['link', 'taken', 'temporary']);
  });

  it('lets one of ten at the same moment win, whose bytes stay', async () => {
    const writers = Array.from({ length: 10 }, (_, writer) => `writer-${writer}`);
    for (const writer of writers) await writeFile(at(writer), writer);
    const results = await Promise.allSettled(writers.map((writer) => publishFile(at(writer), at('name'))));
    const winners = writers.filter((_, index) => results[index]?.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    expect(await readFile(at('name'), 'utf8')).toBe(winners[0]);
  });

  it('leaves no empty file when it fails', async () => {
    await expect(publishFile(at('missing'), at('name'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(folder)).toEqual([]);
  });
});
