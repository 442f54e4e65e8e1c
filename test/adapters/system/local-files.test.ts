import type * as FileSystem from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { link, lstat, mkdir, mkdtemp, open, readFile, readdir, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLocalFiles } from '../../../src/adapters/system/local-files.ts';
import { WardenError } from '../../../src/errors/warden-error.ts';
import type { NewFile } from '../../../src/ports/local-files.ts';
import { wardenError } from '../../support/errors.ts';

/** As they are, but watched, and broken by some tests in ways that no file system is at hand for. */
vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof FileSystem>();
  return {
    ...original,
    link: vi.fn<typeof original.link>(original.link),
    open: vi.fn<typeof original.open>(original.open),
    unlink: vi.fn<typeof original.unlink>(original.unlink),
  };
});

const go = new AbortController().signal;
const failure = (code: string) => Object.assign(new Error(code), { code });

describe('A local file', () => {
  let folder: string;
  let target: string;
  let leftovers: WardenError[];
  const files = createLocalFiles((error) => leftovers.push(error));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warden-files-'));
    target = join(folder, 'snapshot.db');
    leftovers = [];
  });

  afterEach(async () => {
    for (const mock of [link, open, unlink]) vi.mocked(mock).mockReset();
    await rm(folder, { recursive: true });
  });

  const writeWhole = async (path: string, bytes: Buffer): Promise<void> => {
    await using file = await files.create(path, go);
    for (let at = 0; at < bytes.length; at += 1_000_003) await file.write(bytes.subarray(at, at + 1_000_003));
    await file.commit();
  };

  const readWhole = async (path: string): Promise<Buffer> => {
    const blocks: Uint8Array[] = [];
    for await (const block of files.read(path, go)) blocks.push(block);
    return Buffer.concat(blocks);
  };

  it.each([0, 1, 20_000_000])('of %i bytes is what was written, and for its owner alone', async (sizeBytes) => {
    const bytes = randomBytes(sizeBytes);
    await writeWhole(target, bytes);
    expect((await readWhole(target)).equals(bytes)).toBe(true);
    expect((await lstat(target)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['snapshot.db']);
  });

  it('is not seen before it is committed', async () => {
    await using file = await files.create(target, go);
    await file.write(randomBytes(10));
    await expect(lstat(target)).rejects.toMatchObject({ code: 'ENOENT' });
    const [temporary = ''] = await readdir(folder);
    expect((await lstat(join(folder, temporary))).mode & 0o777).toBe(0o600);
    await file.commit();
    expect(await readdir(folder)).toEqual(['snapshot.db']);
  });

  it.each([0, 10, 20_000_000])('that is dropped after %i bytes leaves nothing', async (sizeBytes) => {
    {
      await using file = await files.create(target, go);
      await file.write(randomBytes(sizeBytes));
    }
    expect(await readdir(folder)).toEqual([]);
    expect(leftovers).toEqual([]);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['a file', () => writeFile(target, 'first')],
    ['a folder', () => mkdir(target)],
    ['a link that leads nowhere', () => symlink(join(folder, 'nowhere'), target)],
  ])('does not take the place of %s', async (_, make) => {
    await make();
    await expect(files.create(target, go)).rejects.toEqual(wardenError('target-exists', target));
    expect(await readdir(folder)).toEqual(['snapshot.db']);
  });

  it('does not follow a link that appeared before it was committed', async () => {
    const elsewhere = join(folder, 'elsewhere');
    await writeFile(elsewhere, 'secret');
    {
      await using file = await files.create(target, go);
      await file.write(Buffer.from('bytes'));
      await symlink(elsewhere, target);
      await expect(file.commit()).rejects.toEqual(wardenError('target-exists', target));
    }
    expect(await readFile(elsewhere, 'utf8')).toBe('secret');
    expect((await readdir(folder)).toSorted()).toEqual(['elsewhere', 'snapshot.db']);
  });

  it('is made on volumes without hard links too, and is create-only there', async () => {
    vi.mocked(link).mockRejectedValue(failure('EPERM'));
    await writeWhole(target, Buffer.from('bytes'));
    expect(await readFile(target, 'utf8')).toBe('bytes');
    await rm(target);
    {
      await using file = await files.create(target, go);
      await writeFile(target, 'first');
      await expect(file.commit()).rejects.toEqual(wardenError('target-exists', target));
    }
    expect(await readFile(target, 'utf8')).toBe('first');
    expect(await readdir(folder)).toEqual(['snapshot.db']);
  });

  it('has its missing folder named, and what to do about it', async () => {
    const path = join(folder, 'missing', 'snapshot.db');
    const error: unknown = await files.create(path, go).catch((thrown: unknown) => thrown);
    expect(error).toEqual(
      wardenError(
        'file-failed',
        `cannot create ${path}: the folder ${join(folder, 'missing')} does not exist; make it`,
      ),
    );
    expect(error).toMatchObject({ hint: 'Make the folder first, or correct the path.' });
  });

  it('has the folder named in which the user may not write', async () => {
    // Root may write everywhere, and tests may run as root.
    vi.mocked(open).mockRejectedValueOnce(failure('EACCES'));
    await expect(files.create(target, go)).rejects.toEqual(
      wardenError('file-failed', `cannot create ${target}`, `may not write in the folder ${folder}`),
    );
  });

  it('says which file could not be read', async () => {
    await expect(readWhole(target)).rejects.toEqual(
      wardenError('file-failed', `cannot read ${target}: no such file or folder (ENOENT)`),
    );
    await expect(readWhole(folder)).rejects.toEqual(
      wardenError('file-failed', `${folder} is a folder; give the snapshot object inside it`),
    );
  });

  it('that is a pipe to which nobody writes is not waited for once the run is stopped', async () => {
    await promisify(execFile)('mkfifo', [target]);
    const stop = new AbortController();
    const reading = files.read(target, stop.signal)[Symbol.asyncIterator]().next();
    stop.abort(new WardenError('interrupted', 'told to stop'));
    await expect(reading).rejects.toEqual(wardenError('interrupted', 'told to stop'));
    // Lets go of the thread that waits in open.
    await writeFile(target, '');
  });

  it('on a disk that answers nothing is not waited for once the run is stopped', async () => {
    const stop = new AbortController();
    const answer = Promise.withResolvers<never>();
    const opened = Promise.withResolvers<void>();
    vi.mocked(open).mockImplementationOnce(() => {
      opened.resolve();
      return answer.promise;
    });
    const creating = files.create(target, stop.signal);
    await opened.promise;
    stop.abort(new WardenError('interrupted', 'told to stop'));
    await expect(creating).rejects.toEqual(wardenError('interrupted', 'told to stop'));
    answer.reject(failure('EIO'));
  });

  it('that is opened only after the run was stopped is taken away again', async () => {
    const original = await vi.importActual<typeof FileSystem>('node:fs/promises');
    const stop = new AbortController();
    const removed = Promise.withResolvers<void>();
    vi.mocked(open).mockImplementationOnce((path, ...rest) => {
      stop.abort(new WardenError('interrupted', 'told to stop'));
      return original.open(path, ...rest);
    });
    vi.mocked(unlink).mockImplementationOnce(async (path) => {
      await original.unlink(path);
      removed.resolve();
    });
    await expect(files.create(target, stop.signal)).rejects.toEqual(wardenError('interrupted', 'told to stop'));
    await removed.promise;
    expect(await readdir(folder)).toEqual([]);
  });

  it('knows its absolute path', async () => {
    const path = relative(process.cwd(), target);
    await using file = await files.create(path, go);
    expect([file.path, files.read(path, go).path]).toEqual([target, target]);
  });

  it('is on the disk before it gets its name, and its name is before commit resolves', async () => {
    const steps: string[] = [];
    const original = await vi.importActual<typeof FileSystem>('node:fs/promises');
    vi.mocked(open).mockImplementation(async (path, ...rest) => {
      const handle = await original.open(path, ...rest);
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        await sync();
        steps.push(path === folder ? 'sync folder' : 'sync file');
      };
      return handle;
    });
    vi.mocked(link).mockImplementation(async (from, to) => {
      await original.link(from, to);
      steps.push('name it');
    });
    await writeWhole(target, randomBytes(10));
    expect(steps).toEqual(['sync file', 'name it', 'sync folder']);
  });

  it('that could not be made durable is taken away again', async () => {
    const original = await vi.importActual<typeof FileSystem>('node:fs/promises');
    vi.mocked(open).mockImplementation((path, ...rest) =>
      path === folder ? Promise.reject(failure('EIO')) : original.open(path, ...rest),
    );
    await expect(writeWhole(target, randomBytes(10))).rejects.toEqual(wardenError('file-failed', target, 'EIO'));
    expect(await readdir(folder)).toEqual([]);
  });

  it('tells what it could not clear away, and hides no other error by that', async () => {
    vi.mocked(unlink).mockRejectedValue(failure('EIO'));
    const work = async () => {
      await using file = await files.create(target, go);
      await file.write(Buffer.from('secret'));
      throw new Error('the work failed');
    };
    await expect(work()).rejects.toThrow('the work failed');
    const [temporary = ''] = await readdir(folder);
    expect(leftovers).toEqual([wardenError('file-failed', 'cannot clear away', join(folder, temporary), 'EIO')]);
  });

  it('does not wait for ever on a disk that answers nothing', async () => {
    const answer = Promise.withResolvers<never>();
    let file: NewFile;
    {
      await using given = await files.create(target, go);
      file = given;
      vi.mocked(unlink).mockReturnValue(answer.promise);
      await file.write(Buffer.from('secret'));
    }
    expect(leftovers).toEqual([wardenError('file-failed', 'cannot clear away', 'did not answer within 3 s')]);
    answer.reject(failure('EIO'));
  });
});
