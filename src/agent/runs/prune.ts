import type { Config } from '../../config/schema.ts';
import type { WardenError } from '../../errors/warden-error.ts';
import { prune, type PrunedRepository, type PruneOptions, type PruneParts } from '../../jobs/prune.ts';
import type { Metrics } from '../../ports/metrics.ts';
import { measurePruned } from '../measure-outcomes.ts';
import { pruneFacts } from '../retention.ts';
import { judgePruned } from './judge.ts';

export interface PruneRun {
  readonly pruned: readonly PrunedRepository[];
  readonly error: WardenError | undefined;
}

export async function runPrune(
  parts: PruneParts & { readonly measures: Metrics },
  config: Config,
  request: Pick<PruneOptions, 'dryRun' | 'lineage' | 'accepted'>,
  signal: AbortSignal,
): Promise<PruneRun> {
  const pruned = await prune(parts, { ...pruneFacts(config), ...request }, signal);
  measurePruned(parts.measures, pruned);
  return { pruned, error: judgePruned(pruned) };
}
