import { parseCron } from '../../config/cron.ts';
import type { Config } from '../../config/schema.ts';
import { longestIntervalSeconds } from '../../schedule/longest-interval.ts';
import type { TimedJob } from '../../schedule/planned-job.ts';
import { hourlyBudget } from '../../schedule/retry.ts';
import type { ScheduledJobName } from './scheduled-jobs.ts';

/** A job that the configuration schedules. */
export interface PlannedJobFacts extends TimedJob {
  readonly job: ScheduledJobName;
  /** As the configuration has it. */
  readonly cron: string;
  /** The longest time between two runs. */
  readonly intervalSeconds: number;
  /** How often it may be begun within an hour, whatever fails. */
  readonly budgetPerHour: number;
}

/**
 * Everything that the configuration schedules. Missed backups and proofs are made up for, once. Retention and
 * defragmentation depend on how things are now: what was missed of them is of no interest.
 */
export function readSchedule({ schedules, defrag }: Config): readonly PlannedJobFacts[] {
  const { timeZone, backup, verify, prune } = schedules;
  const plan = (
    job: ScheduledJobName,
    cron: string,
    { jitterMs, missed }: Pick<TimedJob, 'jitterMs' | 'missed'>,
  ): readonly PlannedJobFacts[] => {
    if (cron === '') return [];
    const schedule = parseCron(cron);
    const intervalSeconds = longestIntervalSeconds(schedule);
    return [
      { job, cron, schedule, timeZone, jitterMs, missed, intervalSeconds, budgetPerHour: hourlyBudget(schedule) },
    ];
  };
  return [
    ...plan('backup', backup.cron, { jitterMs: backup.jitter.ms, missed: backup.missed }),
    ...plan('verify', verify.cron, { jitterMs: 0, missed: 'run-once' }),
    ...plan('prune', prune.cron, { jitterMs: 0, missed: 'skip' }),
    ...plan('defrag', defrag.enabled ? schedules.defrag.cron : '', { jitterMs: 0, missed: 'skip' }),
  ];
}
