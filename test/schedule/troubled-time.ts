import type { Random } from '../e2e/campaign/random.ts';
import { VirtualClock } from './virtual-clock.ts';

const secondMs = 1000;
const hourMs = 3600 * secondMs;
const dayMs = 24 * hourMs;
export const decadeMs = 3652 * dayMs;

/** What happens to the time of an agent, besides passing. */
export type Trouble = 'jump' | 'set right' | 'blocked' | 'asleep' | 'restart';

export interface TroubledTimeOptions {
  readonly start: string;
  /** How far the wall clock may jump, either way. */
  readonly jumpsMs: readonly number[];
  /** What becomes of one jump by another stays within this. */
  readonly mostWrongMs: number;
}

/**
 * Time with troubles in it, about one a day, half of them within seconds of a full half hour. Beats at which nothing can
 * happen are left out: every one within a second of a trouble, or of a time at which something comes due, is there.
 */
export class TroubledTime {
  readonly clock: VirtualClock;
  readonly seen = new Map<string, number>();
  readonly #random: Random;
  readonly #options: TroubledTimeOptions;
  #nextTroubleMs: number;

  constructor(random: Random, options: TroubledTimeOptions) {
    this.#random = random;
    this.#options = options;
    this.clock = new VirtualClock(options.start);
    this.#nextTroubleMs = this.#drawNextTrouble();
  }

  /** Lets time pass until the next beat. */
  pass(msToNextDue: number, isAnythingOpen: boolean): Trouble | undefined {
    const { clock } = this;
    const msToTrouble = this.#nextTroubleMs - clock.trueMs;
    const calmMs = isAnythingOpen ? this.#random.between(secondMs, 30 * secondMs) : this.#random.between(1, hourMs);
    const stepMs = Math.min(
      calmMs,
      msToNextDue + this.#random.between(0, 1500),
      Math.max(secondMs, msToTrouble - 5000),
    );
    if (msToTrouble > stepMs) {
      clock.pass(stepMs);
      return undefined;
    }
    clock.pass(Math.max(0, msToTrouble));
    const trouble = this.#befall();
    clock.pass(this.#random.between(1, secondMs));
    this.#nextTroubleMs = this.#drawNextTrouble();
    return trouble;
  }

  #befall(): Trouble {
    const { clock } = this;
    const trouble = this.#random.pick<Trouble>([
      'jump',
      'jump',
      'jump',
      'jump',
      'set right',
      'blocked',
      'asleep',
      'restart',
    ]);
    if (trouble === 'jump') clock.jump(this.#drawJump());
    else if (trouble === 'set right') clock.jump(-clock.wrongByMs);
    else if (trouble === 'blocked')
      clock.pass(this.#random.between(2 * secondMs, this.#random.pick([90 * secondMs, 3 * hourMs])));
    else if (trouble === 'asleep') clock.suspend(this.#random.between(secondMs, 10 * hourMs));
    else clock.pass(this.#random.between(secondMs, this.#random.pick([hourMs, 2 * dayMs])));
    this.#note(trouble);
    return trouble;
  }

  #drawJump(): number {
    const size = this.#random.pick(this.#options.jumpsMs);
    const jumpMs = this.#random.chance(0.5) ? size : -size;
    const allowed = Math.abs(this.clock.wrongByMs + jumpMs) <= this.#options.mostWrongMs ? jumpMs : -jumpMs;
    this.#note(`jump of ${allowed / secondMs} s`);
    return allowed;
  }

  #drawNextTrouble(): number {
    const { trueMs, wrongByMs } = this.clock;
    const at = trueMs + this.#random.between(secondMs, this.#random.pick([30 * 60 * secondMs, 3 * dayMs]));
    if (this.#random.chance(0.5)) return at;
    const halfHour = Math.ceil((at + wrongByMs) / (hourMs / 2)) * (hourMs / 2) - wrongByMs;
    return Math.max(trueMs, halfHour + this.#random.between(-3 * secondMs, 3 * secondMs));
  }

  #note(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }
}
