import { runsInDay } from '../config/cron.ts';
import type { Config } from '../config/schema.ts';
import type { PrunableRepository, PruneOptions } from '../jobs/prune.ts';
import type { Repository } from '../ports/repository.ts';
import { runLimitMs } from './run-limit.ts';
import type { RetentionPolicy } from '../retention/policy.ts';

/** The repositories, each with what the configuration keeps in it. */
export function withPolicies(repositories: readonly Repository[], config: Config): PrunableRepository[] {
  const policies = new Map(config.repositories.map(({ name, retention }) => [name, toPolicy(retention)]));
  return repositories.flatMap((repository) => {
    const policy = policies.get(repository.name);
    return policy === undefined ? [] : [{ ...repository, policy }];
  });
}

/** What the configuration says of every prune. */
export function pruneFacts(config: Config): Pick<PruneOptions, 'cluster' | 'expectedPerDay' | 'runLimitMs'> {
  const { cron } = config.schedules.backup;
  return {
    cluster: config.cluster.name,
    expectedPerDay: cron === '' ? undefined : runsInDay(cron),
    runLimitMs: runLimitMs(config),
  };
}

type Retention = Config['repositories'][number]['retention'];

export function toPolicy({ keepWithin, maxRemovedPercent, ...counts }: Retention): RetentionPolicy {
  return { ...counts, keepWithinMs: keepWithin.ms, maxRemovedPercent: maxRemovedPercent.fraction * 100 };
}
