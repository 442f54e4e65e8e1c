import { WardenError } from '../errors/warden-error.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** How long a run can live at most; what is older than this and unfinished is a dead run's. */
export function runLimitMs({
  snapshot,
}: {
  readonly snapshot: { readonly maxStreamHold: { readonly ms: number } };
}): number {
  // A run that stores slowly outlives its stream by far, but not by a day.
  return Math.max(dayMs, 4 * snapshot.maxStreamHold.ms);
}

/** Does the work under a signal that is aborted after `limitMs` as well, with `run-too-long`. */
export async function withinRunLimit<T>(
  limitMs: number,
  signal: AbortSignal,
  work: (limited: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const timer = setTimeout(
    () => over.abort(new WardenError('run-too-long', `the run did not end within ${limitMs / 3_600_000} h`)),
    limitMs,
  );
  try {
    return await work(AbortSignal.any([signal, over.signal]));
  } finally {
    clearTimeout(timer);
  }
}
