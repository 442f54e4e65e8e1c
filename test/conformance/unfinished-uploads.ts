import { randomBytes } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import type { UnfinishedUpload, Upload } from '../../src/ports/object-store.ts';
import { allOf, keysOf, uploadWhole, type StoreSubject } from './store-subject.ts';

const go = new AbortController().signal;

/** What every store promises of `unfinishedUploads`. */
export function describeUnfinishedUploads(open: () => StoreSubject): void {
  const unfinished = (prefix = '') => allOf(open().store.unfinishedUploads(prefix, go));
  const unfinishedKeys = async (prefix: string) => (await unfinished(prefix)).map(({ key }) => key).sort();

  /** Two parts are as much as every store begins to send. */
  const begin = async (key: string, parts = 2): Promise<Upload> => {
    const { store, partSizeBytes } = open();
    const upload = await store.startUpload(key, { maxBytes: (parts + 1) * partSizeBytes }, go);
    await upload.write(randomBytes(parts * partSizeBytes));
    return upload;
  };

  /** An upload sends in the background. */
  const found = (count: number): Promise<UnfinishedUpload[]> =>
    vi.waitFor(
      async () => {
        const uploads = await unfinished();
        expect(uploads).toHaveLength(count);
        return uploads;
      },
      { timeout: 10_000 },
    );

  /**
   * Source: S3's AbortMultipartUpload: "if any part uploads are currently in progress, those part uploads might or might
   * not succeed. As a result, it might be necessary to abort a given multipart upload multiple times".
   */
  const abortAll = () =>
    vi.waitFor(
      async () => {
        for (const upload of await unfinished()) await upload.abort(go);
        expect(await unfinished()).toEqual([]);
      },
      { timeout: 10_000 },
    );

  it('shows an upload that was begun, and since when', async () => {
    const before = Date.now();
    await using _upload = await begin('u/snapshot');
    const [seen] = await found(1);
    expect(seen?.key).toBe('u/snapshot');
    // Some stores have whole seconds.
    expect(seen?.touchedAt.getTime()).toBeGreaterThan(before - 2000);
    expect(seen?.touchedAt.getTime()).toBeLessThan(Date.now() + 2000);
  });

  it('shows neither objects nor uploads that were completed or dropped', async () => {
    await open().store.create('small', randomBytes(10), go);
    await uploadWhole(open().store, 'large', randomBytes(2 * open().partSizeBytes + 3));
    await (await begin('dropped'))[Symbol.asyncDispose]();
    expect(await unfinished()).toEqual([]);
  });

  it('keeps to its prefix', async () => {
    await using _first = await begin('a/1');
    await using _second = await begin('ab/1');
    await using _third = await begin('b/a/1');
    await found(3);
    expect(await unfinishedKeys('a/')).toEqual(['a/1']);
    expect(await unfinishedKeys('a')).toEqual(['a/1', 'ab/1']);
    expect(await unfinishedKeys('a/1')).toEqual(['a/1']);
    expect(await unfinishedKeys('c/')).toEqual([]);
  });

  it('aborts an upload for good: it can never be completed', async () => {
    {
      // More parts than are on the wire at once: the first has arrived, and goes with the upload.
      await using upload = await begin('u/snapshot', 4);
      await found(1);
      await abortAll();
      const finishing = (async () => {
        await upload.write(randomBytes(10));
        await upload.complete();
      })();
      await expect(finishing).rejects.toMatchObject({ code: expect.stringMatching(/^store-/) as unknown });
    }
    expect(await keysOf(open().store, '')).toEqual([]);
    expect(await unfinished()).toEqual([]);
    expect(await open().leftovers()).toEqual([]);
  });

  it('aborts what is no more without complaint', async () => {
    const upload = await begin('u/snapshot');
    const [seen] = await found(1);
    await seen?.abort(go);
    await seen?.abort(go);
    await upload[Symbol.asyncDispose]();
    await seen?.abort(go);
    expect(await unfinished()).toEqual([]);
  });

  it('leaves the object in peace when an upload is aborted that was completed meanwhile', async () => {
    await using upload = await begin('u/snapshot');
    const [seen] = await found(1);
    await upload.complete();
    await seen?.abort(go);
    expect(await keysOf(open().store, '')).toEqual(['u/snapshot']);
  });

  it('tells two uploads to one key apart', async () => {
    await using first = await begin('u/snapshot');
    await using second = await begin('u/snapshot');
    const [one] = await found(2);
    await one?.abort(go);
    const outcomes = await Promise.allSettled([first.complete(), second.complete()]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await keysOf(open().store, '')).toEqual(['u/snapshot']);
  });

  it('does not abort for a signal that is aborted already', async () => {
    await using upload = await begin('u/snapshot');
    const [seen] = await found(1);
    await expect(seen?.abort(AbortSignal.abort())).rejects.toMatchObject({ code: 'interrupted' });
    await upload.complete();
    expect(await keysOf(open().store, '')).toEqual(['u/snapshot']);
  });
}
