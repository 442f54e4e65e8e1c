const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** A duration in the largest unit that leaves no rest, as a policy gives it: `2 d`, `36 h`. */
export function exactDuration(ms: number): string {
  const [unit, unitMs] = units.find(([, size]) => ms >= size && ms % size === 0) ?? ['ms', 1];
  return `${ms / unitMs} ${unit}`;
}

/** A duration that was measured, in whole units of the largest kind: `3 d`, `7 min`. */
export function roughDuration(ms: number): string {
  const [unit, unitMs] = units.find(([, size]) => ms >= size) ?? ['ms', 1];
  return `${Math.floor(ms / unitMs)} ${unit}`;
}

/** UTC to the second, as backup ids have it: `2026-11-25T14:00:00Z`. */
export function instant(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** `1 backup`, `7 backups`. */
export function backupCount(count: number): string {
  return count === 1 ? '1 backup' : `${count} backups`;
}
