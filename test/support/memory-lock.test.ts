import { describeClusterLockConformance } from '../conformance/cluster-lock.ts';
import { describeDefragRecordsConformance } from '../conformance/defrag-records.ts';
import { createMemoryDefragRecords, createMemoryLock } from './memory-lock.ts';

const nothingToRelease = { [Symbol.asyncDispose]: () => Promise.resolve() };

describeClusterLockConformance('in memory', async () => {
  const lock = createMemoryLock();
  return { one: lock, other: lock, deleteKey: async () => lock.takeAway(), ...nothingToRelease };
});

describeDefragRecordsConformance('in memory', async () => {
  const records = createMemoryDefragRecords();
  return { one: records, other: records, ...nothingToRelease };
});
