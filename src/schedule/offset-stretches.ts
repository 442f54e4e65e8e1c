/** A stretch of time during which clocks of a zone keep one distance from UTC. In it, local time is plain arithmetic. */
export interface OffsetStretch {
  /** When the clocks changed to this distance; -Infinity where they never did. */
  readonly startMs: number;
  /** When they change again, which is no longer in it; Infinity where no change is known. */
  readonly endMs: number;
  readonly offsetMs: number;
  /** The distance before `startMs`. */
  readonly offsetBeforeMs: number;
}

/** The stretch that holds a moment, and those after it, without end where clocks go on changing. */
export function* stretchesFrom(timeZone: string, momentMs: number): Generator<OffsetStretch> {
  let start = changeAtOrBefore(timeZone, momentMs);
  for (;;) {
    const inside = start ?? at(timeZone, momentMs);
    const end = inside.getTimeZoneTransition('next') ?? undefined;
    yield {
      startMs: start?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
      endMs: end?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
      offsetMs: offsetMs(inside),
      offsetBeforeMs: offsetMs(start?.subtract({ milliseconds: 1 }) ?? inside),
    };
    if (end === undefined) return;
    start = end;
  }
}

function changeAtOrBefore(timeZone: string, momentMs: number): Temporal.ZonedDateTime | undefined {
  // Temporal looks strictly before, and clocks change at whole seconds.
  return at(timeZone, momentMs + 1).getTimeZoneTransition('previous') ?? undefined;
}

function at(timeZone: string, momentMs: number): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(momentMs).toZonedDateTimeISO(timeZone);
}

function offsetMs(time: Temporal.ZonedDateTime): number {
  return time.offsetNanoseconds / 1_000_000;
}
