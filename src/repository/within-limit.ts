import type { WardenError } from '../errors/warden-error.ts';

/**
 * The outcome of `work`, or a rejection with `late()` after `limitMs`, or with the signal's reason once it aborts. The
 * work itself goes on where nothing can stop it, such as a call into a file system that hangs: nobody waits for it.
 */
export async function withinLimit<T>(
  work: Promise<T>,
  limitMs: number,
  late: () => WardenError,
  signal?: AbortSignal,
): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), limitMs);
  const onAbort = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    work.catch(() => undefined);
  }
}
