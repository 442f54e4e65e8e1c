import type { CronSchedule } from './cron-schedule.ts';
import { admitsDay } from './local-times.ts';

/** After 28 years weekdays and leap days come round again, from 1901 to 2099: every distance between days is in them. */
const cycleDays = 28 * 365 + 7;

/**
 * How far apart two runs in a row lie at most, in seconds: what an alert may take for normal. By the calendar alone: on the
 * night when clocks change it can be an hour more, and that is no reason to expect as much on every other.
 */
export function longestIntervalSeconds(schedule: CronSchedule): number {
  const times = secondsOfDay(schedule);
  const days = Array.from({ length: cycleDays }, (_, day) => day).filter((day) => admitsDay(schedule, day));
  const fromFirstToLast = (times.at(-1) ?? 0) - (times[0] ?? 0);
  return Math.max(86_400 * widest(days) - fromFirstToLast, widest(times));
}

function secondsOfDay({ hours, minutes, seconds }: CronSchedule): number[] {
  return hours.flatMap((hour) =>
    minutes.flatMap((minute) => seconds.map((second) => hour * 3600 + minute * 60 + second)),
  );
}

function widest(ascending: readonly number[]): number {
  return ascending.reduce((most, value, index) => Math.max(most, value - (ascending[index - 1] ?? value)), 0);
}
