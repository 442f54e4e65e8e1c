/** How long the release of files may take. A hung mount answers nothing, and a stopped pod has some 30 s in all. */
export const releaseLimitMs = 3000;

/** Whether `work` ends within `limitMs`; rejects as it does. After that it goes on, and nobody hears of its end. */
export async function endsWithin(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: limit, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, limitMs, false);
  try {
    return await Promise.race([work.then(() => true), limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** For messages of what did not end within `releaseLimitMs`. */
export function noAnswer(): Error {
  return new Error(`the file system did not answer within ${releaseLimitMs / 1000} s`);
}
