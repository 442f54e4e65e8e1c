import type { WardenError } from '../../errors/warden-error.ts';
import type { ObjectStore, RemovalOutcome } from '../../ports/object-store.ts';
import { throwIfInterrupted } from './interruption.ts';
import type { Retry } from './retry.ts';

/** Removes objects, and again those that failed for what may pass. What failed to the end is an outcome as any other. */
export async function retryRemovals(
  store: ObjectStore,
  keys: readonly string[],
  retry: Retry,
  signal: AbortSignal,
): Promise<readonly RemovalOutcome[]> {
  let outcomes: readonly RemovalOutcome[] = [];
  let failure: WardenError | undefined;
  const attempt = async (): Promise<void> => {
    outcomes =
      failure === undefined ? await store.removeAll(keys, signal) : await removeFailed(store, keys, outcomes, signal);
    failure = outcomes.find(mayPass)?.error;
    if (failure !== undefined) throw failure;
  };
  try {
    await retry(attempt, signal);
  } catch (error) {
    if (error !== failure) throw error;
    throwIfInterrupted(signal);
  }
  return outcomes;
}

async function removeFailed(
  store: ObjectStore,
  keys: readonly string[],
  outcomes: readonly RemovalOutcome[],
  signal: AbortSignal,
): Promise<RemovalOutcome[]> {
  const failed = keys.filter((_, at) => outcomes[at] !== undefined && mayPass(outcomes[at]));
  const answers = (await store.removeAll(failed, signal)).values();
  return outcomes.map((outcome) => (mayPass(outcome) ? (answers.next().value ?? outcome) : outcome));
}

function mayPass(outcome: RemovalOutcome): outcome is Extract<RemovalOutcome, { kind: 'failed' }> {
  return outcome.kind === 'failed' && outcome.error.retryable;
}
