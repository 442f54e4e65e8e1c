import { setTimeout as sleep } from 'node:timers/promises';
import { isWardenError, WardenError } from '../../errors/warden-error.ts';
import { interruptionOf } from './interruption.ts';

/** Makes an attempt until one succeeds, fails for good, or the policy gives up; rejects with the last attempt's error. */
export type Retry = <T>(attempt: () => Promise<T>, signal: AbortSignal) => Promise<T>;

export interface RetryPolicy {
  /** The first attempt counts. */
  readonly attempts: number;
  /** Upper bound of the wait after the first failure; it doubles with each further one. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** No further attempt begins this long after the first. */
  readonly budgetMs: number;
}

/**
 * Some seconds bridge a store's "slow down" and a failover of its front end. The budget bounds how long one dead store
 * can hold up a backup that other stores also take.
 */
export const defaultRetryPolicy: RetryPolicy = { attempts: 5, firstDelayMs: 250, maxDelayMs: 8000, budgetMs: 120_000 };

export function retryWith(policy: RetryPolicy): Retry {
  return async (attempt, signal) => {
    const startedMs = performance.now();
    for (let tried = 1; ; tried += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (signal.aborted || !isWardenError(error) || !error.retryable || tried >= policy.attempts) throw error;
        const waitMs = jitteredDelayMs(policy, tried);
        if (performance.now() + waitMs - startedMs > policy.budgetMs) throw error;
        await waitUnlessInterrupted(waitMs, signal);
      }
    }
  };
}

/** One attempt and no more. */
export const tryOnce: Retry = (attempt) => attempt();

/**
 * Sends a create-only write until its fate is known. Once an attempt's answer was lost, a refusal of the next one may
 * mean that the lost one had succeeded: `isOurs` looks at what is stored, and that settles it.
 */
export async function retryCreate(
  retry: Retry,
  create: () => Promise<void>,
  isOurs: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  let failedBefore = false;
  await retry(async () => {
    try {
      await create();
    } catch (error) {
      const mayBeOurs = failedBefore && isWardenError(error) && !error.retryable && !signal.aborted;
      failedBefore = true;
      if (!mayBeOurs || !(await askWhetherOurs(isOurs, error))) throw error;
    }
  }, signal);
}

async function askWhetherOurs(isOurs: () => Promise<boolean>, refusal: WardenError): Promise<boolean> {
  try {
    return await isOurs();
  } catch (error) {
    if (!isWardenError(error) || error.retryable) throw error;
    throw new WardenError(
      refusal.code,
      `${refusal.message} An earlier attempt's answer was lost, and whether it stored the object cannot be told: ${error.message}`,
      // What is in the way is the look, not the refusal.
      { cause: refusal, details: refusal.details, hint: error.hint },
    );
  }
}

/** Between half and the whole of the bound, so that many clients that failed together do not return together. */
function jitteredDelayMs(policy: RetryPolicy, tried: number): number {
  const boundMs = Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** (tried - 1));
  return boundMs * (0.5 + Math.random() / 2);
}

async function waitUnlessInterrupted(waitMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(waitMs, undefined, { signal });
  } catch {
    throw interruptionOf(signal);
  }
}
