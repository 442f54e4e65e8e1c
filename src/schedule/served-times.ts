/** They grow together while the clock goes forward; the oldest of more than that are forgotten. */
const rememberedStretches = 100;

interface Stretch {
  readonly from: Date;
  readonly to: Date;
}

interface ServedBy {
  /** Everything that came due from `since` to `to`. */
  readonly since: Date;
  readonly to: Date;
  /** The first time after `to`. */
  readonly next: Date | undefined;
  /** By a clock that never jumps. */
  readonly startedAtMs: number;
}

/** The nominal times that runs of a job have stood for, and when the last of these runs began. */
export class ServedTimes {
  #stretches: readonly Stretch[] = [];
  #last: ServedBy | undefined;

  note(run: ServedBy): void {
    const last = this.#last;
    const goesOn = last?.next?.getTime() === run.since.getTime();
    const from = last !== undefined && goesOn ? last.to : run.since;
    const isApart = (stretch: Stretch): boolean => stretch.to < from || stretch.from > run.to;
    const joined = this.#stretches.filter((stretch) => !isApart(stretch)).reduce(join, { from, to: run.to });
    this.#stretches = [...this.#stretches.filter(isApart), joined].slice(-rememberedStretches);
    this.#last = run;
  }

  /** How long ago the last run began, if one has stood for this time already; undefined for a time that is new. */
  servedMsAgo(occurrence: Date, nowMs: number): number | undefined {
    const isServed = this.#stretches.some(({ from, to }) => from <= occurrence && occurrence <= to);
    return isServed && this.#last !== undefined ? nowMs - this.#last.startedAtMs : undefined;
  }
}

function join(one: Stretch, other: Stretch): Stretch {
  return { from: one.from < other.from ? one.from : other.from, to: one.to > other.to ? one.to : other.to };
}
