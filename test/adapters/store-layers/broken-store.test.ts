import { describe, expect, it } from 'vitest';
import { createBrokenStore } from '../../../src/adapters/store-layers/broken-store.ts';
import { WardenError } from '../../../src/errors/warden-error.ts';

const go = new AbortController().signal;
const error = new WardenError('secret-unreadable', 'repository cloud: caFile cannot be read');

describe('A store that could not be opened', () => {
  const store = createBrokenStore('cloud', error);

  it.each<[string, () => Promise<unknown>]>([
    ['create', () => store.create('key', new Uint8Array(), go)],
    ['startUpload', () => store.startUpload('key', { maxBytes: 1 }, go)],
    ['read', () => store.read('key', {}, go)],
    ['stat', () => store.stat('key', go)],
    ['list', () => Array.fromAsync(store.list('', go))],
    ['unfinishedUploads', () => Array.fromAsync(store.unfinishedUploads('', go))],
  ])('fails with the reason: %s', async (_, use) => {
    await expect(use()).rejects.toBe(error);
  });

  it('removes nothing, and is released without more ado', async () => {
    expect(await store.removeAll(['a', 'b'], go)).toEqual([
      { kind: 'failed', error },
      { kind: 'failed', error },
    ]);
    expect(await store[Symbol.asyncDispose]()).toBeUndefined();
  });
});
