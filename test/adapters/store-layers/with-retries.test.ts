import { describe, expect, it } from 'vitest';
import { retryWith } from '../../../src/adapters/store-layers/retry.ts';
import { withRetries } from '../../../src/adapters/store-layers/with-retries.ts';
import { WardenError } from '../../../src/errors/warden-error.ts';
import { allOf } from '../../conformance/store-subject.ts';
import { describeObjectStoreConformance } from '../../conformance/object-store.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

const go = new AbortController().signal;
const quickly = retryWith({ attempts: 3, firstDelayMs: 1, maxDelayMs: 2, budgetMs: 10_000 });
const passing = () => new WardenError('store-timeout', 'no answer in time');

describeObjectStoreConformance('a store with retries', async () => {
  const memory = createMemoryStore();
  return {
    store: withRetries(memory, quickly),
    partSizeBytes: 1024 ** 2,
    leftovers: async () => [...memory.uploads].map(({ key }) => key),
    [Symbol.asyncDispose]: async () => memory[Symbol.asyncDispose](),
  };
});

describe('A store with retries', () => {
  it('hands on that an object is to be removable', async () => {
    const memory = createMemoryStore('locking', { lockMs: 60_000 });
    await withRetries(memory, quickly).create('hold', Buffer.from('x'), go, { removable: true });
    expect(await memory.removeAll(['hold'], go)).toMatchObject([{ kind: 'removed' }]);
  });

  it('begins again where it cannot find all unfinished uploads, and gives none twice', async () => {
    const memory = createMemoryStore();
    for (const key of ['a', 'b', 'c']) memory.uploads.add({ key, touchedAt: new Date() });
    let calls = 0;
    const store = withRetries(
      {
        ...memory,
        unfinishedUploads: async function* (prefix, signal) {
          calls += 1;
          let given = 0;
          for await (const upload of memory.unfinishedUploads(prefix, signal)) {
            if (given === calls) throw passing();
            given += 1;
            yield upload;
          }
        },
      },
      quickly,
    );
    expect((await allOf(store.unfinishedUploads('', go))).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
    expect(calls).toBe(3);
  });

  it('gives up the search for unfinished uploads with the last error', async () => {
    const failing = {
      ...createMemoryStore(),
      unfinishedUploads: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(passing()) }) }),
    };
    const searching = allOf(withRetries(failing, quickly).unfinishedUploads('', go));
    await expect(searching).rejects.toMatchObject({ code: 'store-timeout' });
  });

  it('aborts an unfinished upload again, by the signal that the abort was given', async () => {
    let calls = 0;
    let failures = 2;
    const abort = async (signal: AbortSignal) => {
      calls += 1;
      expect(signal).toBe(abortSignal);
      if (calls <= failures) throw passing();
    };
    const abortSignal = new AbortController().signal;
    const store = withRetries(
      {
        ...createMemoryStore(),
        unfinishedUploads: async function* () {
          yield { key: 'a', touchedAt: new Date(), abort };
        },
      },
      quickly,
    );
    const [upload] = await allOf(store.unfinishedUploads('', go));
    await upload?.abort(abortSignal);
    expect(calls).toBe(3);
    failures = 99;
    await expect(upload?.abort(abortSignal)).rejects.toMatchObject({ code: 'store-timeout' });
    expect(calls).toBe(6);
  });
});
