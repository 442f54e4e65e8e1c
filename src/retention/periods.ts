/** A stretch of the local calendar of which one backup is kept, and how it is told apart from others of its kind. */
export interface Period {
  readonly kind: 'hour' | 'day' | 'week' | 'month' | 'year';
  readonly nameOf: (time: Temporal.ZonedDateTime) => string;
}

export const hour: Period = { kind: 'hour', nameOf: nameHour };
export const day: Period = { kind: 'day', nameOf: (time) => time.toPlainDate().toString() };
/** ISO 8601: from Monday, and the first week of a year is the one with its first Thursday. */
export const week: Period = {
  kind: 'week',
  nameOf: (time) => `${time.yearOfWeek}-W${String(time.weekOfYear).padStart(2, '0')}`,
};
export const month: Period = { kind: 'month', nameOf: (time) => time.toPlainDate().toPlainYearMonth().toString() };
export const year: Period = { kind: 'year', nameOf: (time) => String(time.year) };

/** `2026-10-25 02`, and once the clocks have changed on that day `2026-10-25 02 +01:00`: a repeated hour is two. */
function nameHour(time: Temporal.ZonedDateTime): string {
  const name = `${day.nameOf(time)} ${String(time.hour).padStart(2, '0')}`;
  return time.startOfDay().offset === time.offset ? name : `${name} ${time.offset}`;
}

/** Throws a RangeError for a name that is no time zone. */
export function localTime(time: Date, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(time.getTime()).toZonedDateTimeISO(timeZone);
}

export function isTimeZone(name: string): boolean {
  try {
    localTime(new Date(0), name);
    return true;
  } catch {
    return false;
  }
}
