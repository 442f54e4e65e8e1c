import { dueMinutes } from './minute-oracle.ts';

const dayMs = 86_400_000;
/** Schedules of the tests come due once a week at least. */
const farthestDays = 10;

/** When an expression comes due by the second opinion, a day of UTC at a time: clocks that jump see few of many years. */
export class KnownDays {
  readonly #expression: string;
  readonly #timeZone: string;
  readonly #days = new Map<number, readonly number[]>();

  constructor(expression: string, timeZone: string) {
    this.#expression = expression;
    this.#timeZone = timeZone;
  }

  /** The last time after `afterMs` and not after `untilMs`. */
  latest(afterMs: number, untilMs: number): number | undefined {
    const last = Math.floor(untilMs / dayMs);
    for (let day = last; day > last - farthestDays && (day + 1) * dayMs > afterMs; day -= 1) {
      const found = this.#on(day).findLast((time) => time <= untilMs);
      if (found !== undefined) return found > afterMs ? found : undefined;
    }
    return undefined;
  }

  /** The first time after `afterMs`. */
  next(afterMs: number): number {
    const first = Math.floor(afterMs / dayMs);
    for (let day = first; day < first + farthestDays; day += 1) {
      const found = this.#on(day).find((time) => time > afterMs);
      if (found !== undefined) return found;
    }
    throw new Error(`${this.#expression} does not come due within ${farthestDays} days`);
  }

  /** Half of the time since the one before. */
  halfDistance(timeMs: number): number {
    return (timeMs - (this.latest(-Infinity, timeMs - 1) ?? -Infinity)) / 2;
  }

  #on(day: number): readonly number[] {
    const known = this.#days.get(day);
    if (known !== undefined) return known;
    const from = new Date(day * dayMs);
    const due = dueMinutes(this.#expression, this.#timeZone, from, new Date(from.getTime() + dayMs));
    const times = due.map((time) => time.getTime());
    this.#days.set(day, times);
    return times;
  }
}
