import { parseCron } from '../../src/config/cron.ts';
import { nextOccurrence } from '../../src/schedule/occurrences.ts';

/** Every time from `from` to before `until`, one after the other as the timetable finds them. */
export function occurrencesBetween(expression: string, timeZone: string, from: Date, until: Date): Date[] {
  const schedule = parseCron(expression);
  const found: Date[] = [];
  let time = nextOccurrence(schedule, timeZone, new Date(from.getTime() - 1));
  while (time !== undefined && time < until) {
    found.push(time);
    const next = nextOccurrence(schedule, timeZone, time);
    // Said here and not asserted after, because the loop would never get there.
    if (next !== undefined && next <= time)
      throw new Error(`${expression} in ${timeZone} stays at ${time.toISOString()}`);
    time = next;
  }
  return found;
}
