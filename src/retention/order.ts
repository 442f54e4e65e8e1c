import type { BackupFacts } from './facts.ts';

export type Ordered = Pick<BackupFacts, 'time' | 'revision' | 'id'>;

/** Newest first: by time, then revision, then id. Total, so that the order of a listing never decides anything. */
export function newestFirst(a: Ordered, b: Ordered): number {
  const byTime = b.time.getTime() - a.time.getTime();
  if (byTime !== 0) return byTime;
  if (a.revision !== b.revision) return a.revision < b.revision ? 1 : -1;
  if (a.id === b.id) return 0;
  return a.id < b.id ? 1 : -1;
}
