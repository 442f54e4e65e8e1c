import { runsInDay } from '../config/cron.ts';
import type { Config } from '../config/schema.ts';
import type { PrunableRepository, PruneOptions } from '../jobs/prune.ts';
import type { Repository } from '../ports/repository.ts';
import type { RetentionPolicy } from '../retention/policy.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** The repositories, each with what the configuration keeps in it. */
export function withPolicies(repositories: readonly Repository[], config: Config): PrunableRepository[] {
  const policies = new Map(config.repositories.map(({ name, retention }) => [name, toPolicy(retention)]));
  return repositories.flatMap((repository) => {
    const policy = policies.get(repository.name);
    return policy === undefined ? [] : [{ ...repository, policy }];
  });
}

/** What the configuration says of every prune. */
export function pruneFacts({
  cluster,
  schedules,
  snapshot,
}: Config): Pick<PruneOptions, 'cluster' | 'expectedPerDay' | 'runLimitMs'> {
  const { cron } = schedules.backup;
  return {
    cluster: cluster.name,
    expectedPerDay: cron === '' ? undefined : runsInDay(cron),
    // A run that stores slowly outlives its stream by far, but not by a day.
    runLimitMs: Math.max(dayMs, 4 * snapshot.maxStreamHold.ms),
  };
}

type Retention = Config['repositories'][number]['retention'];

export function toPolicy({ keepWithin, maxRemovedPercent, ...counts }: Retention): RetentionPolicy {
  return { ...counts, keepWithinMs: keepWithin.ms, maxRemovedPercent: maxRemovedPercent.fraction * 100 };
}
