import { describe, expect, it } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { describeObjectStoreConformance } from '../conformance/object-store.ts';
import { allOf, keysOf } from '../conformance/store-subject.ts';
import { createMemoryStore } from './memory-store.ts';

describeObjectStoreConformance('the store in memory', async () => {
  const store = createMemoryStore();
  return {
    store,
    partSizeBytes: 1024 ** 2,
    leftovers: async () => [...store.uploads].map(({ key }) => key),
    [Symbol.asyncDispose]: async () => store[Symbol.asyncDispose](),
  };
});

describe('The store in memory', () => {
  const go = new AbortController().signal;
  const body = Buffer.from('body');
  const at = (time: string) => new Date(`2026-11-24T${time}Z`);

  it('locks what it writes until its own clock says so, but for what is to be removable', async () => {
    let now = at('14:00:00');
    const store = createMemoryStore('locking', { now: () => now, lockMs: 60_000 });
    await store.create('locked', body, go);
    await store.create('hold', body, go, { removable: true });
    const locked = { kind: 'locked', until: at('14:01:00') };
    const removed = { kind: 'removed', isKeptAsVersion: false };
    expect(await store.stat('locked', go)).toMatchObject({ modifiedAt: now, lockedUntil: locked.until });
    expect((await store.stat('hold', go))?.lockedUntil).toBeUndefined();
    expect(await store.removeAll(['locked', 'hold'], go)).toEqual([locked, removed]);
    expect(await keysOf(store, '')).toEqual(['locked']);
    now = at('14:01:00');
    expect(await store.removeAll(['locked'], go)).toEqual([removed]);
  });

  it('shows what a test put into it', async () => {
    const store = createMemoryStore();
    const facts = { modifiedAt: at('01:00:00'), lockedUntil: at('02:00:00'), storageClass: 'GLACIER' };
    store.objects.set('k', { bytes: body, ...facts });
    store.uploads.add({ key: 'u', touchedAt: at('03:00:00') });
    expect(await allOf(store.list('', go))).toEqual([{ key: 'k', sizeBytes: 4, ...facts }]);
    expect(await allOf(store.unfinishedUploads('', go))).toMatchObject([{ key: 'u', touchedAt: at('03:00:00') }]);
  });

  it('fails to remove what it is told to fail at, and removes the others', async () => {
    const store = createMemoryStore();
    for (const key of ['a', 'b']) await store.create(key, body, go);
    const error = new WardenError('store-access-denied', 'no right to remove');
    store.failingRemovals.set('a', error);
    expect(await store.removeAll(['a', 'b'], go)).toMatchObject([{ kind: 'failed', error }, { kind: 'removed' }]);
    expect(await keysOf(store, '')).toEqual(['a']);
  });

  it('keeps older versions of what there was, where it is told to', async () => {
    const store = createMemoryStore('versioned', { keepsVersions: true });
    await store.create('a', body, go);
    expect(await store.removeAll(['a', 'none'], go)).toEqual([
      { kind: 'removed', isKeptAsVersion: true },
      { kind: 'removed', isKeptAsVersion: false },
    ]);
  });
});
