/** As long as a look may take in all: more than the limits of what is asked in it. */
export const lookLimitMs = 150_000;

const missedLooks = 3;

/** Whether what was seen then is no longer what a look would see: several of them have not brought anything since. */
export function isOutdated(seenAt: Date | undefined, intervalMs: number, now: Date): boolean {
  return seenAt !== undefined && now.getTime() - seenAt.getTime() > missedLooks * intervalMs + lookLimitMs;
}
