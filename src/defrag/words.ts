import type { MemberFacts } from './facts.ts';

const sizeUnits = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const;

const durationUnits = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** Cut to a tenth, so that what was too little never reads as enough: `7.8 GiB`. */
export function size(bytes: number): string {
  const [unit, factor] = sizeUnits.find(([, unitBytes]) => bytes >= unitBytes) ?? ['B', 1];
  return `${Math.floor((bytes / factor) * 10) / 10} ${unit}`;
}

/** A part that was measured, cut to a tenth: `12.3%`. The noise of a division is not cut. */
export function measuredPercent(fraction: number): string {
  return `${Math.floor(fraction * 1000 + 1e-9) / 10}%`;
}

/** A part as a policy gives it, with up to four decimals: `45%`. */
export function exactPercent(fraction: number): string {
  return `${Math.round(fraction * 1_000_000) / 10_000}%`;
}

/** A duration in the largest unit that leaves no rest, as a policy gives it: `2 d`, `36 h`. */
export function exactDuration(ms: number): string {
  const [unit, unitMs] = durationUnits.find(([, length]) => ms >= length && ms % length === 0) ?? ['ms', 1];
  return `${ms / unitMs} ${unit}`;
}

/** A duration that was measured, in whole units of the largest kind: `3 d`, `7 min`. */
export function roughDuration(ms: number): string {
  const [unit, unitMs] = durationUnits.find(([, length]) => ms >= length) ?? ['ms', 1];
  return `${Math.floor(ms / unitMs)} ${unit}`;
}

/** As etcd's own tools print it. */
export function hexId(id: bigint): string {
  return id.toString(16);
}

/** Its name, or its id where it has none: a member that never started has no name. */
export function nameOf({ name, id }: Pick<MemberFacts, 'name' | 'id'>): string {
  return name === '' ? hexId(id) : name;
}

/** The member's name where it is listed, its id where it is not. */
export function nameOfId(id: bigint, members: readonly MemberFacts[]): string {
  return nameOf(members.find((member) => member.id === id) ?? { name: '', id });
}

/** `a`, `a and b`, `a, b and c`. */
export function enumerate(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}
