import type { RepositoryState } from './agent-status.ts';

/** Where no schedule says how old a backup may be. */
export const usualAgeSeconds = 24 * 60 * 60;

/** A backup that is late by one run is under way or being tried again; by two, somebody must look. */
const lateRuns = 2;

/** For the run itself, and until the next look. */
const marginMs = 60_000;

/** Whether somebody should have taken a newer backup by now; also where there is none at all. */
export function isOverdue(
  { newest, expectedAgeSeconds = usualAgeSeconds }: Pick<RepositoryState, 'newest' | 'expectedAgeSeconds'>,
  now: Date,
): boolean {
  if (newest === undefined) return true;
  return now.getTime() - newest.takenAt.getTime() > lateRuns * expectedAgeSeconds * 1000 + marginMs;
}
