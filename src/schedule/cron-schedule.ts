/**
 * When a job comes due, as a cron expression says it: at every second whose local parts all stand in these lists. Each is
 * sorted, without doubles and never empty, and some day of the calendar is in them.
 */
export interface CronSchedule {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly daysOfMonth: readonly number[];
  /** 1 is January. */
  readonly months: readonly number[];
  /** 0 is Sunday. */
  readonly daysOfWeek: readonly number[];
  /**
   * The hour field begins with `*` or names every hour: what counts is the distance between runs, so an hour that the
   * clock shows twice is two. Otherwise what counts is the name of the hour.
   */
  readonly isPeriodic: boolean;
}
