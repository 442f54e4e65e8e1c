import { beforeEach, describe, expect, it } from 'vitest';
import { retryWith, tryOnce } from '../../../src/adapters/store-layers/retry.ts';
import { withRetries } from '../../../src/adapters/store-layers/with-retries.ts';
import type { ErrorCode } from '../../../src/errors/table.ts';
import { WardenError } from '../../../src/errors/warden-error.ts';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';

const go = new AbortController().signal;
const quick = { attempts: 3, firstDelayMs: 1, maxDelayMs: 2, budgetMs: 10_000 };
const removed = { kind: 'removed', isKeptAsVersion: false };

describe('removeAll with retries', () => {
  let memory: MemoryStore;
  /** The keys that each call to the store underneath asked for. */
  let asked: (readonly string[])[];

  beforeEach(async () => {
    memory = createMemoryStore();
    asked = [];
    for (const key of ['a', 'b', 'c', 'd', 'e']) await memory.create(key, Buffer.from(key), go);
  });

  const fail = (key: string, code: ErrorCode) => {
    const error = new WardenError(code, `cannot remove ${key}`);
    memory.failingRemovals.set(key, error);
    return { kind: 'failed', error };
  };

  /** `before` runs ahead of each call to the store underneath, with the number of the call. */
  const observed = (before: (call: number) => void = () => undefined): ObjectStore => ({
    ...memory,
    removeAll: async (keys, signal) => {
      asked.push(keys);
      before(asked.length);
      return memory.removeAll(keys, signal);
    },
  });

  it('asks once where nothing can be gained by another attempt', async () => {
    memory.objects.set('b', { bytes: Buffer.alloc(0), modifiedAt: new Date(), lockedUntil: new Date('2999-01-01') });
    const denied = fail('c', 'store-access-denied');
    const outcomes = await withRetries(observed(), retryWith(quick)).removeAll(['a', 'b', 'c'], go);
    expect(outcomes).toEqual([removed, { kind: 'locked', until: new Date('2999-01-01') }, denied]);
    expect(asked).toEqual([['a', 'b', 'c']]);
  });

  it('asks again for those only that failed for what may pass, and keeps the order', async () => {
    fail('b', 'store-throttled');
    fail('d', 'store-timeout');
    const denied = fail('c', 'store-access-denied');
    const store = observed((call) => {
      if (call === 2) memory.failingRemovals.delete('d');
      if (call === 3) memory.failingRemovals.delete('b');
    });
    const outcomes = await withRetries(store, retryWith(quick)).removeAll(['a', 'b', 'c', 'd', 'e'], go);
    expect(outcomes).toEqual([removed, removed, denied, removed, removed]);
    expect(asked).toEqual([['a', 'b', 'c', 'd', 'e'], ['b', 'd'], ['b']]);
    expect([...memory.objects.keys()]).toEqual(['c']);
  });

  it('gives up with the last outcomes, and rejects for none of them', async () => {
    fail('b', 'store-throttled');
    let last: unknown;
    const store = observed((call) => {
      if (call === 3) last = fail('b', 'store-timeout');
    });
    const outcomes = await withRetries(store, retryWith(quick)).removeAll(['a', 'b', 'c'], go);
    expect(asked).toHaveLength(3);
    expect(outcomes).toEqual([removed, last, removed]);
  });

  it('gives the first outcomes where nothing is to be retried', async () => {
    const failed = fail('b', 'store-throttled');
    expect(await withRetries(observed(), tryOnce).removeAll(['b', 'a'], go)).toEqual([failed, removed]);
  });

  it('asks nobody again for a key that failed for good meanwhile', async () => {
    fail('b', 'store-throttled');
    fail('c', 'store-throttled');
    let denied: unknown;
    const store = observed((call) => {
      if (call === 2) denied = fail('b', 'store-access-denied');
    });
    const outcomes = await withRetries(store, retryWith(quick)).removeAll(['b', 'c'], go);
    expect(asked).toEqual([['b', 'c'], ['b', 'c'], ['c']]);
    expect(outcomes).toMatchObject([denied, { kind: 'failed', error: { code: 'store-throttled' } }]);
  });

  it('rejects when it is interrupted, between attempts as well', async () => {
    fail('b', 'store-throttled');
    const stop = new AbortController();
    const waiting = retryWith({ ...quick, firstDelayMs: 60_000, maxDelayMs: 60_000, budgetMs: 600_000 });
    const store = observed(() => void setImmediate(() => stop.abort()));
    const removing = withRetries(store, waiting).removeAll(['a', 'b'], stop.signal);
    await expect(removing).rejects.toMatchObject({ code: 'interrupted' });
    expect(asked).toHaveLength(1);
  });

  it('rejects when it was interrupted during an attempt that failed', async () => {
    fail('b', 'store-throttled');
    const stop = new AbortController();
    const store: ObjectStore = {
      ...memory,
      removeAll: async (keys) => {
        stop.abort();
        return memory.removeAll(keys, go);
      },
    };
    const removing = withRetries(store, retryWith(quick)).removeAll(['b'], stop.signal);
    await expect(removing).rejects.toMatchObject({ code: 'interrupted' });
  });

  it('rejects as the store does where there are no outcomes', async () => {
    const store: ObjectStore = { ...memory, removeAll: () => Promise.reject(new WardenError('internal', 'a defect')) };
    const removing = withRetries(store, retryWith(quick)).removeAll(['a'], go);
    await expect(removing).rejects.toMatchObject({ code: 'internal' });
  });
});
