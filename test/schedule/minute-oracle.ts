/**
 * A second opinion on when a schedule comes due: every minute of UTC is looked at in turn, and what the clocks of the zone
 * show then is asked of Intl. It knows neither Temporal nor the code that it judges, and reads expressions by itself.
 */

const minuteMs = 60_000;
/** In the zones of these tests clocks change at whole and half hours of UTC, so between them they just go on. */
const halfHourMs = 30 * minuteMs;

/** Due times from `from` to before `until`, of an expression of five fields. */
export function dueMinutes(expression: string, timeZone: string, from: Date, until: Date): Date[] {
  const texts = expression.split(' ');
  const admits = matcherOf(texts);
  const hourText = texts[1] ?? '';
  const namesEveryHour = Array.from({ length: 24 }, (_, hour) => hour).every(oneOf(hourText, 0, 23));
  const due: Date[] = [];
  // Half a day earlier: what is said again has to have been seen before, and what is left out as well.
  const clock = shownTimes(timeZone, from.getTime() - 12 * 3_600_000, until.getTime());
  let before: number | undefined;
  let furthest = Number.NEGATIVE_INFINITY;
  for (const { utcMs, localMs } of clock) {
    const leftOut = before === undefined ? [] : minutesBetween(before, localMs);
    const isMadeUpFor = leftOut.some(admits) && !(namesEveryHour && leftOut.length % 60 === 0);
    const isDue = admits(localMs) && (localMs > furthest || hourText.startsWith('*') || namesEveryHour);
    if ((isDue || isMadeUpFor) && utcMs >= from.getTime()) due.push(new Date(utcMs));
    furthest = Math.max(furthest, localMs);
    before = localMs;
  }
  return due;
}

/** What the clocks show at each minute, as milliseconds as if that were UTC. */
function* shownTimes(timeZone: string, fromMs: number, untilMs: number): Generator<{ utcMs: number; localMs: number }> {
  const clock = clocks.get(timeZone) ?? new Clock(timeZone);
  clocks.set(timeZone, clock);
  for (let halfHour = Math.floor(fromMs / halfHourMs) * halfHourMs; halfHour < untilMs; halfHour += halfHourMs) {
    const localMs = clock.shows(halfHour);
    for (let passed = 0; passed < halfHourMs && halfHour + passed < untilMs; passed += minuteMs) {
      yield { utcMs: halfHour + passed, localMs: localMs + passed };
    }
  }
}

const clocks = new Map<string, Clock>();

/** Remembers what Intl said, because many schedules are held against the same days. */
class Clock {
  readonly #format: Intl.DateTimeFormat;
  readonly #shown = new Map<number, number>();

  constructor(timeZone: string) {
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
    this.#format = new Intl.DateTimeFormat('en-GB', { timeZone, hourCycle: 'h23', ...parts });
  }

  shows(utcMs: number): number {
    const known = this.#shown.get(utcMs);
    if (known !== undefined) return known;
    const [day, month, year, hour, minute] = (this.#format.format(utcMs).match(/[0-9]+/g) ?? []).map(Number);
    const localMs = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute);
    this.#shown.set(utcMs, localMs);
    return localMs;
  }
}

function minutesBetween(before: number, after: number): number[] {
  const between: number[] = [];
  for (let minute = before + minuteMs; minute < after; minute += minuteMs) between.push(minute);
  return between;
}

function matcherOf([minutes = '', hours = '', days = '', months = '', weekdays = '']: string[]): (
  localMs: number,
) => boolean {
  const [minute, hour, day] = [oneOf(minutes, 0, 59), oneOf(hours, 0, 23), oneOf(days, 1, 31)];
  const [month, weekday] = [oneOf(months, 1, 12), oneOf(weekdays, 0, 6)];
  return (localMs) => {
    if (!minute((localMs / minuteMs) % 60)) return false;
    const time = new Date(localMs);
    return (
      hour(time.getUTCHours()) && day(time.getUTCDate()) && month(time.getUTCMonth() + 1) && weekday(time.getUTCDay())
    );
  };
}

/** Numbers, `*`, ranges, lists and steps. */
function oneOf(text: string, lowest: number, highest: number): (value: number) => boolean {
  const admitted = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', step = '1'] = part.split('/');
    const [first = lowest, last = range === '*' ? highest : first] = range === '*' ? [] : range.split('-').map(Number);
    for (let value = first; value <= last; value += Number(step)) admitted.add(value);
  }
  return (value) => admitted.has(value);
}
