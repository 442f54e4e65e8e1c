import type { WardenError } from '../../errors/warden-error.ts';
import type { ObjectStore } from '../../ports/object-store.ts';

/** Stands for a store that could not even be opened: everything fails with the reason, and no other store suffers from it. */
export function createBrokenStore(description: string, error: WardenError): ObjectStore {
  const fail = (): Promise<never> => Promise.reject(error);
  const failing = (): AsyncIterable<never> => ({ [Symbol.asyncIterator]: () => ({ next: fail }) });
  return {
    description,
    create: fail,
    startUpload: fail,
    read: fail,
    stat: fail,
    list: failing,
    removeAll: async (keys) => keys.map(() => ({ kind: 'failed', error })),
    unfinishedUploads: failing,
    [Symbol.asyncDispose]: async () => undefined,
  };
}
