import type { Registry } from 'prom-client';
import type { Metrics, RepositoryFacts } from '../../ports/metrics.ts';
import { fact, tally, toSeconds } from './instruments.ts';
import { state as states, valuesOf } from './label-values.ts';
import { catalogue } from './metric-catalogue.ts';

type RepositoryEvents = Pick<Metrics, 'repositoriesConfigured' | 'repositoryListed' | 'backupsRemoved'>;

export function createRepositoryMetrics(registry: Registry): RepositoryEvents {
  const newestBackup = fact(registry, catalogue.repositoryNewestBackup);
  const newestVerified = fact(registry, catalogue.repositoryNewestVerified);
  const newestDrilled = fact(registry, catalogue.repositoryNewestDrilled);
  const backups = fact(registry, catalogue.repositoryBackups);
  const stored = fact(registry, catalogue.repositoryStored);
  const lastListed = fact(registry, catalogue.repositoryLastListed);
  const removed = tally(registry, catalogue.pruneRemoved);
  const told = new Set<string>();
  /** undefined: nobody said, so every name is taken for one of the configuration. */
  let configured: ReadonlySet<string> | undefined;

  const isWanted = (repository: string): boolean => configured?.has(repository) ?? true;

  const set = (repository: string, facts: RepositoryFacts | undefined): void => {
    newestBackup.set({ repository }, toSeconds(facts?.newestBackupAt));
    newestVerified.set({ repository }, toSeconds(facts?.newestVerifiedAt));
    newestDrilled.set({ repository }, toSeconds(facts?.newestDrilledAt));
    for (const state of valuesOf(states)) backups.set({ repository, state }, facts?.backups[state]);
    stored.set({ repository }, facts?.storedBytes);
    lastListed.set({ repository }, toSeconds(facts?.listedAt));
  };

  const count = (repository: string, removals: number): void => {
    told.add(repository);
    removed.add({ repository }, removals);
  };

  return {
    repositoriesConfigured: (names) => {
      configured = new Set(names);
      for (const repository of configured) count(repository, 0);
      for (const repository of [...told].filter((name) => !isWanted(name))) {
        set(repository, undefined);
        removed.remove({ repository });
        told.delete(repository);
      }
    },
    repositoryListed: (repository, facts) => {
      // A listing that was under way while the configuration changed may end after it.
      if (!isWanted(repository)) return;
      count(repository, 0);
      set(repository, facts);
    },
    backupsRemoved: (repository, removals) => {
      if (isWanted(repository)) count(repository, removals);
    },
  };
}
