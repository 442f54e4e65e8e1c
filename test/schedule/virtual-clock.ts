import type { Moment } from '../../src/schedule/planned-job.ts';
import type { Beat, Timetable } from '../../src/schedule/timetable.ts';

/** A clock that the test moves: by passing of time, by a jump, by both standing still. */
export class VirtualClock {
  /** The time that it really is. */
  trueMs: number;
  monotonicMs = 1000;
  /** By how much the wall clock is wrong. */
  wrongByMs = 0;

  constructor(start: string | number) {
    this.trueMs = new Date(start).getTime();
  }

  get moment(): Moment {
    return { wall: new Date(this.trueMs + this.wrongByMs), monotonicMs: this.monotonicMs };
  }

  pass(ms: number): void {
    this.trueMs += ms;
    this.monotonicMs += ms;
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.wrongByMs += ms;
  }

  /** The machine sleeps: the wall clock is right afterwards, the other one knows nothing of it. */
  suspend(ms: number): void {
    this.trueMs += ms;
  }
}

export type ToldBeat = Beat & { readonly at: Moment };

/** Beats for so long, one after each step. Returns those at which something was to be told. */
export function beatFor(
  timetable: Timetable,
  clock: VirtualClock,
  forMs: number,
  { stepMs = 1000, random = () => 0 }: { stepMs?: number; random?: () => number } = {},
): ToldBeat[] {
  const told: ToldBeat[] = [];
  for (let passed = 0; passed < forMs; passed += stepMs) {
    clock.pass(stepMs);
    const beat = timetable.beat(clock.moment, random);
    const isTold = beat.due.length + beat.leftOut.length + beat.passedOver.length > 0 || beat.clockJumpMs !== undefined;
    if (isTold) told.push({ ...beat, at: clock.moment });
  }
  return told;
}

/** What began: the nominal times, `HH:MM` or longer, and the wall clock then. */
export function begun(beats: readonly ToldBeat[]): string[] {
  return beats.flatMap(({ due, at }) => due.map(({ occurrence }) => `${shorten(occurrence)} at ${shorten(at.wall)}`));
}

export function leftOut(beats: readonly ToldBeat[]): string[] {
  return beats.flatMap((beat) => beat.leftOut.map(({ occurrence, because }) => `${shorten(occurrence)} ${because}`));
}

export function passedOver(beats: readonly ToldBeat[]): string[] {
  return beats.flatMap((beat) => beat.passedOver.map(({ since, because }) => `${shorten(since)} ${because}`));
}

/** `24 10:00:00`, and with the year where it is another one. */
export function shorten(time: Date): string {
  const text = time.toISOString();
  return `${text.startsWith('2026-11-') ? '' : text.slice(0, 8)}${text.slice(8, 10)} ${text.slice(11, 19)}`;
}
