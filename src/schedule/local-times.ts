import type { CronSchedule } from './cron-schedule.ts';

/**
 * Times of a local calendar, whatever the zone: milliseconds as they would be if that calendar were UTC. Here a day always
 * has 24 hours; what clocks do to it is for offset-stretches.ts to say.
 */
export const dayMs = 86_400_000;

/** The first local time from `fromMs` on and before `untilMs` at which a job comes due. A look at each day between. */
export function firstLocalTime(schedule: CronSchedule, fromMs: number, untilMs: number): number | undefined {
  let day = Math.floor(fromMs / dayMs);
  let second = Math.ceil((fromMs - day * dayMs) / 1000);
  for (; day * dayMs < untilMs; day += 1, second = 0) {
    const found = admitsDay(schedule, day) ? firstSecondOfDay(schedule, second) : undefined;
    if (found === undefined) continue;
    const timeMs = day * dayMs + found * 1000;
    return timeMs < untilMs ? timeMs : undefined;
  }
  return undefined;
}

/** @param day counted from 1 January 1970 */
export function admitsDay({ daysOfMonth, months, daysOfWeek }: CronSchedule, day: number): boolean {
  const date = new Date(day * dayMs);
  return (
    months.includes(date.getUTCMonth() + 1) &&
    daysOfMonth.includes(date.getUTCDate()) &&
    daysOfWeek.includes(date.getUTCDay())
  );
}

function firstSecondOfDay({ hours, minutes, seconds }: CronSchedule, from: number): number | undefined {
  for (const hour of hours) {
    if (hour * 3600 + 3599 < from) continue;
    for (const minute of minutes) {
      const start = hour * 3600 + minute * 60;
      const second = seconds.find((value) => start + value >= from);
      if (second !== undefined) return start + second;
    }
  }
  return undefined;
}
