import { describeThrown } from '../errors/warden-error.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Repository } from '../ports/repository.ts';
import { readCatalogue, type CatalogueEntry } from '../repository/catalogue.ts';
import { clockToleranceMs } from './clock-tolerance.ts';

export interface ServedParts {
  readonly repositories: readonly Repository[];
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

/**
 * A backup that was taken at `since` or later, as `ID in REPOSITORY`; undefined where there is none, or where no repository
 * can be listed: then one more does no harm. One repository that holds it is enough.
 */
export function findBackupSince(
  parts: ServedParts,
  cluster: string,
  since: Date,
  signal: AbortSignal,
): Promise<string | undefined> {
  const find = (entries: readonly CatalogueEntry[]): string | undefined =>
    entries.find(({ state, place }) => state === 'complete' && isSince(place.id.time, since, parts.clock.now()))?.place
      .id.text;
  return findInAny(parts, cluster, find, signal);
}

/** A backup that was read back at `since` or later, with whatever outcome. */
export function findEvidenceSince(
  parts: ServedParts,
  cluster: string,
  since: Date,
  signal: AbortSignal,
): Promise<string | undefined> {
  const find = (entries: readonly CatalogueEntry[]): string | undefined => {
    const times = ({ verifiedAt, damagedAt }: CatalogueEntry): Date[] => [verifiedAt ?? [], damagedAt ?? []].flat();
    const found = entries.find((entry) => times(entry).some((time) => isSince(time, since, parts.clock.now())));
    return found === undefined ? undefined : `${found.place.id.text} was read back since`;
  };
  return findInAny(parts, cluster, find, signal);
}

async function findInAny(
  { repositories, log }: ServedParts,
  cluster: string,
  find: (entries: readonly CatalogueEntry[]) => string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const { name, store } of repositories) {
    try {
      const { entries } = await readCatalogue(store, cluster, undefined, signal);
      const found = find(entries);
      if (found !== undefined) return `${found} in ${name}`;
    } catch (error) {
      signal.throwIfAborted();
      log.debug('what was done since cannot be told', { repository: name, reason: describeThrown(error) });
    }
  }
  return undefined;
}

/** A date ahead of the clock is of a clock that was wrong: it would serve every run of the years to come. */
function isSince(time: Date, since: Date, now: Date): boolean {
  // Ids carry whole seconds.
  const sinceMs = Math.floor(since.getTime() / 1000) * 1000;
  return time.getTime() >= sinceMs && time.getTime() <= now.getTime() + clockToleranceMs;
}
