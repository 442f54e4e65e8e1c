import type * as FileSystem from 'node:fs/promises';
import { link, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDirectoryStore } from '../../../src/adapters/directory/store.ts';
import type { WardenError } from '../../../src/errors/warden-error.ts';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { allOf, keysOf } from '../../conformance/store-subject.ts';
import { wardenError } from '../../support/errors.ts';
import { canHangMounts, hangMount } from '../../support/hung-mount.ts';

/** As it is, but for tests that delay its answers. */
vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof FileSystem>();
  return {
    ...original,
    link: vi.fn<typeof original.link>(original.link),
    open: vi.fn<typeof original.open>(original.open),
  };
});

const go = new AbortController().signal;
const body = Buffer.from('body');

describe('A directory store on a mount that hangs', () => {
  let root: string;
  let store: ObjectStore;
  let leftovers: WardenError[];
  let stop: AbortController;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'warden-hung-'));
    leftovers = [];
    stop = new AbortController();
    store = createDirectoryStore({ path: root, onLeftover: (error) => leftovers.push(error) });
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    vi.mocked(link).mockReset();
    vi.mocked(open).mockReset();
    await rm(root, { recursive: true, force: true });
  });

  /** What all file handles share, to let their calls hang. */
  const everyHandle = async () => {
    await using handle = await open(root, 'r');
    return Object.getPrototypeOf(handle) as typeof handle;
  };

  it.skipIf(!canHangMounts()).each<[string, (signal: AbortSignal) => Promise<unknown>]>([
    ['create', (signal) => store.create('a/k', body, signal)],
    ['startUpload', (signal) => store.startUpload('a/k', { maxBytes: 1 }, signal)],
    ['read', (signal) => store.read('a/k', {}, signal)],
    ['stat', (signal) => store.stat('a/k', signal)],
    ['list', (signal) => keysOf(store, '', signal)],
    ['removeAll', (signal) => store.removeAll(['a/k'], signal)],
    ['unfinishedUploads', (signal) => allOf(store.unfinishedUploads('', signal))],
  ])('ends %s when its signal is aborted', async (_, call) => {
    using _hung = hangMount(root);
    const calling = call(stop.signal);
    stop.abort();
    await expect(calling).rejects.toMatchObject({ code: 'interrupted' });
  });

  it.skipIf(!canHangMounts())('ends complete by the signal, and does not wait for ever to clear away', async () => {
    let hung: Disposable | undefined;
    try {
      await using upload = await store.startUpload('k', { maxBytes: body.length }, stop.signal);
      await upload.write(body);
      hung = hangMount(root);
      const completing = upload.complete();
      stop.abort();
      await expect(completing).rejects.toMatchObject({ code: 'interrupted' });
    } finally {
      hung?.[Symbol.dispose]();
    }
    expect(leftovers).toEqual([wardenError('store-failed', `${root}/.k.part-`, 'did not answer within 3 s')]);
  });

  it('ends write by the signal, and clears away once the mount answers again', async () => {
    const answer = Promise.withResolvers<{ bytesWritten: number; buffers: [] }>();
    vi.spyOn(await everyHandle(), 'writev').mockReturnValue(answer.promise);
    {
      await using upload = await store.startUpload('a/k', { maxBytes: 32 * 1024 ** 2 }, stop.signal);
      const writing = upload.write(Buffer.alloc(20 * 1024 ** 2));
      stop.abort();
      await expect(writing).rejects.toMatchObject({ code: 'interrupted' });
    }
    expect(leftovers).toEqual([wardenError('store-failed', `${root}/a/.k.part-`, 'did not answer within 3 s')]);
    answer.resolve({ bytesWritten: 20 * 1024 ** 2, buffers: [] });
    await vi.waitFor(async () => expect(await readdir(root)).toEqual([]));
  });

  it('takes an object away that became visible after complete was ended', async () => {
    const original = await vi.importActual<typeof FileSystem>('node:fs/promises');
    const answer = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const linked = vi.mocked(link).mockImplementation(async (...given) => {
      reached.resolve();
      await answer.promise;
      return original.link(...given);
    });
    const upload = await store.startUpload('k', { maxBytes: body.length }, stop.signal);
    await upload.write(body);
    const completing = upload.complete();
    await reached.promise;
    stop.abort();
    await expect(completing).rejects.toMatchObject({ code: 'interrupted' });
    const disposed = upload[Symbol.asyncDispose]();
    setImmediate(answer.resolve);
    await disposed;
    await expect(linked.mock.results[0]?.value).resolves.toBeUndefined();
    expect(await readdir(root)).toEqual([]);
    expect(leftovers).toEqual([]);
  });

  it('is not done with an upload that was just begun before nothing of it is left', async () => {
    const original = await vi.importActual<typeof FileSystem>('node:fs/promises');
    const reached = Promise.withResolvers<void>();
    vi.mocked(open).mockImplementationOnce(async (...given) => {
      reached.resolve();
      await delay(20);
      return original.open(...given);
    });
    const starting = store.startUpload('a/k', { maxBytes: 1 }, stop.signal);
    await reached.promise;
    stop.abort();
    await expect(starting).rejects.toMatchObject({ code: 'interrupted' });
    expect(await readdir(root)).toEqual([]);
  });

  it('leaves nothing of an upload whose begin came too late', async () => {
    const original = await vi.importActual<typeof FileSystem>('node:fs/promises');
    const answer = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    vi.mocked(open).mockImplementationOnce(async (...given) => {
      reached.resolve();
      await answer.promise;
      return original.open(...given);
    });
    const starting = store.startUpload('a/k', { maxBytes: 1 }, stop.signal);
    await reached.promise;
    stop.abort();
    await expect(starting).rejects.toMatchObject({ code: 'interrupted' });
    const before = await readdir(root);
    answer.resolve();
    await vi.waitFor(async () => expect(await readdir(root)).toEqual([]));
    expect(before).toEqual(['a']);
  });

  it('ends the reading of a body by the signal', async () => {
    await store.create('k', body, go);
    await using opened = await store.read('k', {}, stop.signal);
    vi.spyOn(await everyHandle(), 'read').mockReturnValue(new Promise(() => undefined));
    const reading = opened[Symbol.asyncIterator]().next();
    stop.abort();
    await expect(reading).rejects.toMatchObject({ code: 'interrupted' });
  });
});
