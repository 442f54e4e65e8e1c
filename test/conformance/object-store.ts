import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WardenError } from '../../src/errors/warden-error.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { describeRemoval } from './object-removal.ts';
import { allOf, bytesOf, collect, keysOf, uploadWhole, type StoreSubject } from './store-subject.ts';
import { describeUnfinishedUploads } from './unfinished-uploads.ts';

export { bytesOf, keysOf, uploadWhole, type StoreSubject } from './store-subject.ts';

const go = new AbortController().signal;
const text = (value: string) => Buffer.from(value);

/** What every store promises. */
export function describeObjectStoreConformance(subjectName: string, makeSubject: () => Promise<StoreSubject>): void {
  describe(`Conformance of ${subjectName}`, () => {
    let subject: StoreSubject;
    let store: ObjectStore;

    beforeEach(async () => {
      subject = await makeSubject();
      ({ store } = subject);
    });

    afterEach(async () => {
      await subject[Symbol.asyncDispose]();
    });

    describe('create', () => {
      it.each([0, 1, 100_000])('stores %i bytes and gives them back', async (sizeBytes) => {
        const body = randomBytes(sizeBytes);
        await store.create('c/1/manifest.json', body, go);
        expect(await bytesOf(store, 'c/1/manifest.json')).toEqual(body);
        expect(await store.stat('c/1/manifest.json', go)).toMatchObject({ key: 'c/1/manifest.json', sizeBytes });
      });

      it('never overwrites', async () => {
        await store.create('k', text('first'), go);
        await expect(store.create('k', text('other'), go)).rejects.toMatchObject({ code: 'store-object-exists' });
        expect(await bytesOf(store, 'k')).toEqual(text('first'));
      });

      it('lets one of ten writers at the same moment win', async () => {
        const bodies = Array.from({ length: 10 }, (_, writer) => text(`writer ${writer}`));
        const results = await Promise.allSettled(bodies.map((body) => store.create('race', body, go)));
        const winners = results.flatMap((result, writer) => (result.status === 'fulfilled' ? [writer] : []));
        expect(winners).toHaveLength(1);
        const losers = results.filter((result) => result.status === 'rejected');
        expect(losers.map((loser) => (loser.reason as WardenError).code)).toEqual(Array(9).fill('store-object-exists'));
        expect(await bytesOf(store, 'race')).toEqual(bodies[winners[0] ?? -1]);
        expect(await subject.leftovers()).toEqual([]);
      });
    });

    describe('an upload', () => {
      it.each([
        ['no byte', () => 0],
        ['one byte', () => 1],
        ['one byte less than a part', (part: number) => part - 1],
        ['a part', (part: number) => part],
        ['one byte more than a part', (part: number) => part + 1],
        ['two parts and a bit', (part: number) => 2 * part + 3],
      ])('of %s gives the same bytes back', async (_, sizeOf) => {
        const body = randomBytes(sizeOf(subject.partSizeBytes));
        await uploadWhole(store, 'u/snapshot', body);
        expect(await store.stat('u/snapshot', go)).toMatchObject({ sizeBytes: body.length });
        expect((await bytesOf(store, 'u/snapshot')).equals(body)).toBe(true);
        expect(await subject.leftovers()).toEqual([]);
      });

      it('shows nothing before it is complete', async () => {
        await using upload = await store.startUpload('hidden', { maxBytes: 3 * subject.partSizeBytes }, go);
        await upload.write(randomBytes(2 * subject.partSizeBytes));
        expect(await store.stat('hidden', go)).toBeUndefined();
        expect(await keysOf(store, '')).toEqual([]);
      });

      // field: F105
      it.each([0, 0.5, 1, 1.5, 2.5])('that is dropped after %f parts leaves nothing', async (parts) => {
        {
          await using upload = await store.startUpload('d/e/f', { maxBytes: 3 * subject.partSizeBytes }, go);
          await upload.write(randomBytes(parts * subject.partSizeBytes));
        }
        expect(await subject.leftovers()).toEqual([]);
        expect(await keysOf(store, '')).toEqual([]);
      });

      // field: F105
      it.each([0.5, 2.5])('whose signal is aborted after %f parts stops and leaves nothing', async (parts) => {
        const stop = new AbortController();
        {
          await using upload = await store.startUpload('d/e/f', { maxBytes: 3 * subject.partSizeBytes }, stop.signal);
          await upload.write(randomBytes(parts * subject.partSizeBytes));
          stop.abort();
          await expect(upload.write(text('more'))).rejects.toMatchObject({ code: 'interrupted' });
          await expect(upload.complete()).rejects.toMatchObject({ code: 'interrupted' });
        }
        expect(await subject.leftovers()).toEqual([]);
        expect(await keysOf(store, '')).toEqual([]);
      });

      it.each([0.5, 1.5])('of %f parts does not replace what was stored meanwhile', async (parts) => {
        {
          await using upload = await store.startUpload('taken', { maxBytes: 2 * subject.partSizeBytes }, go);
          await upload.write(randomBytes(parts * subject.partSizeBytes));
          await store.create('taken', text('first'), go);
          await expect(upload.complete()).rejects.toMatchObject({ code: 'store-object-exists' });
        }
        expect(await bytesOf(store, 'taken')).toEqual(text('first'));
        expect(await subject.leftovers()).toEqual([]);
      });

      it('refuses more bytes than it was begun for', async () => {
        await using upload = await store.startUpload('k', { maxBytes: 10 }, go);
        await upload.write(randomBytes(10));
        await expect(upload.write(randomBytes(1))).rejects.toMatchObject({ code: 'store-refused' });
      });
    });

    describe('read', () => {
      it('begins at an offset', async () => {
        await store.create('k', text('0123456789'), go);
        await using body = await store.read('k', { offset: 7 }, go);
        expect(body.sizeBytes).toBe(3);
        expect(await collect(body)).toEqual(text('789'));
      });

      it('refuses an offset at the end', async () => {
        await store.create('k', text('0123456789'), go);
        await expect(store.read('k', { offset: 10 }, go)).rejects.toMatchObject({ code: 'store-refused' });
      });

      it('says that an object is missing', async () => {
        await expect(store.read('no/such', {}, go)).rejects.toMatchObject({ code: 'store-object-missing' });
      });

      it('can be left half-way, many times', async () => {
        await uploadWhole(store, 'big', randomBytes(4 * 1024 ** 2));
        for (let round = 0; round < 20; round += 1) {
          await using body = await store.read('big', {}, go);
          for await (const block of body) {
            expect(block.length).toBeGreaterThan(0);
            break;
          }
        }
        expect(await bytesOf(store, 'big')).toHaveLength(4 * 1024 ** 2);
      });

      it('stops when its signal is aborted', async () => {
        await uploadWhole(store, 'big', randomBytes(8 * 1024 ** 2));
        const stop = new AbortController();
        await using body = await store.read('big', {}, stop.signal);
        const reading = (async () => {
          for await (const block of body) {
            expect(block.length).toBeGreaterThan(0);
            stop.abort();
          }
        })();
        await expect(reading).rejects.toMatchObject({ code: 'interrupted' });
      });
    });

    describe('list', () => {
      it('of an empty store is empty', async () => {
        expect(await keysOf(store, '')).toEqual([]);
      });

      it('gives keys in the order of their bytes', async () => {
        const keys = [
          'a/b',
          'a-b',
          'a.b',
          'a0',
          'a/c/d',
          'ab/x',
          'Z',
          'ü',
          'a b',
          'a+b',
          'a%2Fb',
          'x&<y',
          '\u{1F511}',
          '\uFF21',
        ];
        for (const key of keys) await store.create(key, text(key), go);
        const ordered = keys.toSorted((left, right) => Buffer.compare(text(left), text(right)));
        expect(await keysOf(store, '')).toEqual(ordered);
      });

      it('keeps neighbours apart', async () => {
        for (const key of ['a/1', 'ab/1', 'a/2', 'b/a/1']) await store.create(key, text('x'), go);
        expect(await keysOf(store, 'a/')).toEqual(['a/1', 'a/2']);
        expect(await keysOf(store, 'a')).toEqual(['a/1', 'a/2', 'ab/1']);
        expect(await keysOf(store, 'c/')).toEqual([]);
      });

      it('tells size and time', async () => {
        const before = Date.now();
        await store.create('k', randomBytes(77), go);
        const [entry] = await allOf(store.list('', go));
        expect(entry?.sizeBytes).toBe(77);
        // Some stores have whole seconds.
        expect(entry?.modifiedAt.getTime()).toBeGreaterThan(before - 2000);
        expect(entry?.modifiedAt.getTime()).toBeLessThan(Date.now() + 2000);
      });
    });

    describe('removeAll', () => {
      describeRemoval(() => store);
    });

    describe('unfinishedUploads', () => {
      describeUnfinishedUploads(() => subject);
    });

    it('does nothing for a signal that is aborted already', async () => {
      await store.create('there', text('x'), go);
      const stopped = AbortSignal.abort();
      const calls: Record<string, () => Promise<unknown>> = {
        create: () => store.create('k', text('x'), stopped),
        startUpload: () => store.startUpload('k', { maxBytes: 1 }, stopped),
        read: () => store.read('there', {}, stopped),
        stat: () => store.stat('there', stopped),
        list: () => keysOf(store, '', stopped),
        removeAll: () => store.removeAll(['there'], stopped),
        unfinishedUploads: () => allOf(store.unfinishedUploads('', stopped)),
      };
      for (const [name, call] of Object.entries(calls)) {
        const outcome = await call().then(
          () => 'done',
          (error: unknown) => (error as WardenError).code,
        );
        expect(`${name}: ${outcome}`).toBe(`${name}: interrupted`);
      }
      expect(await keysOf(store, '')).toEqual(['there']);
    });
  });
}
