const mib = 2 ** 20;

/** Asking members, waiting for a lock, listing a store, and one stall that is waited out. */
const allowanceMs = 10 * 60_000;
/** Slower than any store that a restore could be done from in time. */
const slowestBytesPerSecond = 2 * mib;
/** One request a backup, and its retries. */
const slowestRemovalMs = 1000;

/** How long a backup of a database of that size may take; where the size is not known, as long as any run may. */
export function backupDeadlineMs(dbSizeBytes: number | undefined, runLimitMs: number): number {
  return withAllowance(streamingMs(dbSizeBytes), runLimitMs);
}

/** How long it may take to read back so many stored bytes, of however many backups. */
export function verifyDeadlineMs(storedBytes: number | undefined, runLimitMs: number): number {
  return withAllowance(streamingMs(storedBytes), runLimitMs);
}

/** How long retention may take in a repository of so many backups. */
export function pruneDeadlineMs(backups: number | undefined, runLimitMs: number): number {
  return withAllowance(backups === undefined ? undefined : backups * slowestRemovalMs, runLimitMs);
}

function streamingMs(sizeBytes: number | undefined): number | undefined {
  return sizeBytes === undefined ? undefined : (sizeBytes / slowestBytesPerSecond) * 1000;
}

function withAllowance(workMs: number | undefined, runLimitMs: number): number {
  return workMs === undefined ? runLimitMs : Math.min(runLimitMs, allowanceMs + Math.ceil(workMs));
}
