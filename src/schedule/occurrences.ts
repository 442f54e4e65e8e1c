import type { CronSchedule } from './cron-schedule.ts';
import { dayMs, firstLocalTime } from './local-times.ts';
import { stretchesFrom, type OffsetStretch } from './offset-stretches.ts';

/**
 * When a job comes due in a time zone. Where clocks change:
 *
 * - They go forward: a time that is left out is made up for at the first moment after it, together with what is due then
 *   anyway. A schedule of every hour, where whole hours are left out, needs nothing of the kind: its next hour comes as
 *   soon as it ever does.
 * - They go back: of a time that comes twice the first one counts. For a periodic schedule both do, which keeps the
 *   distance between its runs.
 */

/** Over a leap year that is left out, 29 February comes after eight years. */
const horizonMs = 9 * 366 * dayMs;

/** The first time strictly after `after`; undefined where none comes within nine years. */
export function nextOccurrence(schedule: CronSchedule, timeZone: string, after: Date): Date | undefined {
  const found = firstBetween(schedule, timeZone, after.getTime(), after.getTime() + horizonMs);
  return found === undefined ? undefined : new Date(found);
}

/** The last time after `after` and not after `until`. Halves the time between, so that ten years cost no more than a day. */
export function latestOccurrence(schedule: CronSchedule, timeZone: string, after: Date, until: Date): Date | undefined {
  let latestMs = firstBetween(schedule, timeZone, after.getTime(), until.getTime());
  if (latestMs === undefined) return undefined;
  // None comes after this and until the end.
  let beyondMs = until.getTime();
  while (beyondMs - latestMs >= 1000) {
    const middleMs = latestMs + Math.floor((beyondMs - latestMs) / 2);
    const found = firstBetween(schedule, timeZone, middleMs, beyondMs);
    if (found === undefined) beyondMs = middleMs;
    else latestMs = found;
  }
  return new Date(latestMs);
}

/** The last time before `moment`, within nine years. */
export function occurrenceBefore(schedule: CronSchedule, timeZone: string, moment: Date): Date | undefined {
  const until = new Date(moment.getTime() - 1);
  return latestOccurrence(schedule, timeZone, new Date(moment.getTime() - horizonMs), until);
}

/** The first one after `afterMs` and not after `untilMs`. */
function firstBetween(schedule: CronSchedule, timeZone: string, afterMs: number, untilMs: number): number | undefined {
  for (const stretch of stretchesFrom(timeZone, afterMs)) {
    if (stretch.startMs > untilMs) return undefined;
    const found = firstInStretch(schedule, stretch, afterMs, untilMs);
    if (found !== undefined) return found;
  }
  return undefined;
}

function firstInStretch(
  schedule: CronSchedule,
  stretch: OffsetStretch,
  afterMs: number,
  untilMs: number,
): number | undefined {
  const { startMs, endMs, offsetMs, offsetBeforeMs } = stretch;
  if (startMs > afterMs && leavesOneOut(schedule, stretch)) return startMs;
  const fromLocalMs = Math.max(startMs, afterMs + 1) + offsetMs;
  const isSaidAgainUntilMs = schedule.isPeriodic ? fromLocalMs : startMs + offsetBeforeMs;
  const found = firstLocalTime(
    schedule,
    Math.max(fromLocalMs, isSaidAgainUntilMs),
    Math.min(endMs, untilMs + 1) + offsetMs,
  );
  return found === undefined ? undefined : found - offsetMs;
}

const hourMs = 3_600_000;

/** Whether the clocks went forward over a time that has to be made up for. */
function leavesOneOut(schedule: CronSchedule, { startMs, offsetMs, offsetBeforeMs }: OffsetStretch): boolean {
  const leftOutMs = offsetMs - offsetBeforeMs;
  if (leftOutMs <= 0) return false;
  const keepsItsDistance = schedule.hours.length === 24 && leftOutMs % hourMs === 0;
  if (keepsItsDistance) return false;
  return firstLocalTime(schedule, startMs + offsetBeforeMs, startMs + offsetMs) !== undefined;
}
