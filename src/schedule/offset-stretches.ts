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
  let stretch = stretchAt(timeZone, momentMs);
  yield stretch;
  while (stretch.endMs < Number.POSITIVE_INFINITY) {
    stretch = stretchAt(timeZone, stretch.endMs);
    yield stretch;
  }
}

/** The last one of each zone: questions come in the order of time, and thousands fall into one stretch. */
const remembered = new Map<string, OffsetStretch>();

function stretchAt(timeZone: string, momentMs: number): OffsetStretch {
  const known = remembered.get(timeZone);
  if (known !== undefined && known.startMs <= momentMs && momentMs < known.endMs) return known;
  const found = findStretch(timeZone, momentMs);
  remembered.set(timeZone, found);
  return found;
}

function findStretch(timeZone: string, momentMs: number): OffsetStretch {
  const moment = at(timeZone, momentMs);
  // Temporal looks strictly before, and clocks change at whole seconds.
  const start = at(timeZone, momentMs + 1).getTimeZoneTransition('previous')?.epochMilliseconds;
  const end = moment.getTimeZoneTransition('next')?.epochMilliseconds;
  return {
    startMs: start ?? Number.NEGATIVE_INFINITY,
    endMs: end ?? Number.POSITIVE_INFINITY,
    offsetMs: offsetMs(moment),
    offsetBeforeMs: offsetMs(start === undefined ? moment : at(timeZone, start - 1)),
  };
}

function at(timeZone: string, momentMs: number): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(momentMs).toZonedDateTimeISO(timeZone);
}

function offsetMs(time: Temporal.ZonedDateTime): number {
  return time.offsetNanoseconds / 1_000_000;
}
