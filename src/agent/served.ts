import { describeThrown } from '../errors/warden-error.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Repository } from '../ports/repository.ts';
import { readCatalogue, type CatalogueEntry } from '../repository/catalogue.ts';

/** How far the clocks of several agents may lie apart. */
const clockToleranceMs = 60_000;

export interface ServedParts {
  readonly repositories: readonly Repository[];
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

/**
 * A backup that was taken at `since` or later, as `ID in REPOSITORY`; undefined where there is none, or where no repository
 * can be listed: then one more does no harm. One repository that holds it is enough.
 */
export async function findBackupSince(
  { repositories, clock, log }: ServedParts,
  cluster: string,
  since: Date,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const { name, store } of repositories) {
    try {
      const { entries } = await readCatalogue(store, cluster, undefined, signal);
      const served = entries.find((entry) => serves(entry, since, clock.now()));
      if (served !== undefined) return `${served.place.id.text} in ${name}`;
    } catch (error) {
      signal.throwIfAborted();
      log.debug('whether a backup was taken cannot be told', { repository: name, reason: describeThrown(error) });
    }
  }
  return undefined;
}

/** A date ahead of the clock is a clock that was wrong: such a backup would serve every run of the years to come. */
function serves({ state, place }: CatalogueEntry, since: Date, now: Date): boolean {
  const takenMs = place.id.time.getTime();
  // Ids carry whole seconds.
  const sinceMs = Math.floor(since.getTime() / 1000) * 1000;
  return state === 'complete' && takenMs >= sinceMs && takenMs <= now.getTime() + clockToleranceMs;
}
