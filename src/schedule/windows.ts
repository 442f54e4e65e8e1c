const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** A part of some days of the week. `to` is no longer in it; a `to` before `from` is on the next day. */
export interface TimeWindow {
  readonly days: readonly (typeof weekdays)[number][];
  /** `HH:MM`, by the local clock. */
  readonly from: string;
  readonly to: string;
}

/** Whether something may be done now that is bound to windows. Where there are none, it may be done at any time. */
export function isWindowOpen(windows: readonly TimeWindow[], timeZone: string, now: Date): boolean {
  const local = Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO(timeZone);
  // Times of day of one length: their order as text is their order in time.
  const time = local.toPlainTime().toString({ smallestUnit: 'minute', roundingMode: 'floor' });
  const today = weekdays[local.dayOfWeek - 1];
  const yesterday = weekdays[(local.dayOfWeek + 5) % 7];
  const opensOn = ({ days }: TimeWindow, day: typeof today): boolean => day !== undefined && days.includes(day);
  return (
    windows.length === 0 ||
    windows.some((window) =>
      window.from <= window.to
        ? opensOn(window, today) && window.from <= time && time < window.to
        : (opensOn(window, today) && window.from <= time) || (opensOn(window, yesterday) && time < window.to),
    )
  );
}
