import { describeObjectStoreConformance } from '../conformance/object-store.ts';
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
