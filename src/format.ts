const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1536` → `1.50 KiB`, `20480` → `20.0 KiB`: three digits or more. */
export function formatBytes(bytes: number): string {
  let [value, power] = [bytes, 0];
  // What would round to 1024 is one of the next unit.
  for (; value >= 1023.95 && power < binaryUnits.length - 1; power += 1) value /= 1024;
  return `${power === 0 ? value : value.toFixed(value < 9.995 ? 2 : 1)} ${binaryUnits[power]}`;
}

/** `93500` → `1m 33s`, `1234` → `1.2s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)}ms`;
  const seconds = Math.round(milliseconds / 100) / 10;
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${Math.floor(seconds % 60)}s`;
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}

/** How long ago, in its two largest units: `3d 4h`, `25m`, `12s`. */
export function formatAge(from: Date, now: Date): string {
  const seconds = Math.floor((now.getTime() - from.getTime()) / 1000);
  if (seconds < 0) return 'in the future';
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h ${minutes % 60}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** `2026-11-24T14:00:00Z`: no milliseconds, always UTC. */
export function formatTime(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** A CRC as etcdutl prints it: hexadecimal without leading zeros. */
export function formatHash(hash: number): string {
  return hash.toString(16);
}

/** A compact revision as manifests hold it: -1 where nothing was ever compacted. */
export function describeCompaction(compactRevision: string): string {
  return compactRevision === '-1' ? 'never compacted' : `compacted at ${compactRevision}`;
}
