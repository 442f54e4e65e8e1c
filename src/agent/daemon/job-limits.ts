import type { Config } from '../../config/schema.ts';
import { backupDeadlineMs, pruneDeadlineMs, verifyDeadlineMs } from '../../schedule/deadline.ts';
import { runLimitMs } from '../run-limit.ts';
import type { Knowledge } from './knowledge.ts';
import type { ScheduledJobName } from './scheduled-jobs.ts';

/** How long a run of the job may take, from the sizes that were seen last; as long as any run may where none were. */
export function deadlineMs(job: ScheduledJobName, config: Config, knowledge: Knowledge): number {
  const limitMs = runLimitMs(config);
  const listings = [...knowledge.repositories.values()].flatMap(({ summary }) => summary?.facts ?? []);
  switch (job) {
    case 'backup':
      // A stream that is allowed to be slow must not be ended before its own limit is.
      return Math.max(backupDeadlineMs(largestDbBytes(knowledge), limitMs), 2 * config.snapshot.maxStreamHold.ms);
    case 'verify':
      return verifyDeadlineMs(sum(listings.map(({ storedBytes }) => storedBytes)), limitMs);
    case 'prune':
      return pruneDeadlineMs(sum(listings.map(({ backups }) => backups.complete + backups.damaged)), limitMs);
    case 'defrag':
      // It limits the work at each member by the size of that member.
      return limitMs;
  }
}

function largestDbBytes({ members }: Knowledge): number | undefined {
  const sizes = members?.facts.members.flatMap(({ answer }) => answer?.dbSizeBytes ?? []) ?? [];
  return sizes.length === 0 ? undefined : Math.max(...sizes);
}

function sum(numbers: readonly number[]): number | undefined {
  return numbers.length === 0 ? undefined : numbers.reduce((total, number) => total + number, 0);
}
