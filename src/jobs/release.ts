import { combineFailures } from '../errors/combine-failures.ts';
import { toWardenError, WardenError } from '../errors/warden-error.ts';
import type { RemovalOutcome } from '../ports/object-store.ts';
import type { Log } from '../ports/log.ts';
import type { Repository } from '../ports/repository.ts';
import { readHold, removeHold } from '../repository/holds.ts';
import { locateBackup, type BackupSite } from '../repository/locate-backup.ts';

export interface ReleaseParts {
  readonly repositories: readonly Repository[];
  readonly log: Log;
}

export interface ReleaseRequest {
  /** As `findBackup` takes it; a whole id also where the manifest is gone, or the hold would keep the remains for ever. */
  readonly reference: string;
  /** undefined: the only one that there is. */
  readonly name: string | undefined;
}

export interface ReleasedBackup {
  readonly backup: string;
  readonly hold: string;
  /** One for each repository. */
  readonly copies: readonly ReleasedCopy[];
}

export type ReleasedCopy = { readonly repository: string } & (
  | { readonly kind: 'released'; readonly otherHolds: readonly string[] }
  /** The repository has the backup without that hold. */
  | { readonly kind: 'not-held' }
  /** The repository does not have this backup. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly error: WardenError }
);

/**
 * Removes a hold of a backup in every repository that has it. Rejects with `hold-not-found`, or with `hold-ambiguous` where
 * no name was given and there are several. That a store locks the hold is a copy's failure: `refused`.
 */
export async function releaseBackup(
  { repositories, log }: ReleaseParts,
  cluster: string,
  { reference, name }: ReleaseRequest,
  signal: AbortSignal,
): Promise<ReleasedBackup> {
  const { id, sites } = await locateBackup(repositories, cluster, { reference, remains: true }, signal);
  const hold = chooseHold(sites, id, name);
  const copies = await Promise.all(sites.map((site) => releaseCopy(site, id, hold, log, signal)));
  return { backup: id, hold, copies };
}

function chooseHold(sites: readonly BackupSite[], backup: string, name: string | undefined): string {
  const names = [...new Set(sites.flatMap((site) => (site.kind === 'there' ? site.entry.holds : [])))].sort();
  const details = { backup, holds: names };
  if (name === undefined && names.length > 1) {
    throw new WardenError('hold-ambiguous', `${backup} is held by ${names.join(', ')}`, { details });
  }
  const [chosen] = names.filter((known) => name === undefined || known === name);
  if (chosen !== undefined) return chosen;
  const message =
    names.length === 0 ? `no hold keeps ${backup}` : `${backup} is not held by ${name}, only by ${names.join(', ')}`;
  const notFound = new WardenError('hold-not-found', message, { details });
  // A repository that could not be listed may have that very hold.
  const failures = sites.flatMap((site) => (site.kind === 'unlisted' ? [site.error] : []));
  const [first, ...others] = failures;
  if (first === undefined) throw notFound;
  throw combineFailures([first, ...others, notFound], { summary: 'nothing was released' });
}

async function releaseCopy(
  site: BackupSite,
  backup: string,
  hold: string,
  log: Log,
  signal: AbortSignal,
): Promise<ReleasedCopy> {
  const repository = site.repository.name;
  if (site.kind === 'absent') return { repository, kind: 'absent' };
  const fields = { repository, backup, hold };
  try {
    if (site.kind === 'unlisted') throw site.error;
    const { store } = site.repository;
    const { place, holds } = site.entry;
    if (!holds.includes(hold)) return { repository, kind: 'not-held' };
    const told = await readHold(store, place, hold, signal);
    requireRemoved(await removeHold(store, place, hold, signal), repository, hold);
    log.info('hold released', { ...fields, reason: told?.reason });
    return { repository, kind: 'released', otherHolds: holds.filter((other) => other !== hold) };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toWardenError(thrown);
    log.error('hold not released', { ...fields, code: error.code, reason: error.message });
    return { repository, kind: 'failed', error };
  }
}

function requireRemoved(outcome: RemovalOutcome, repository: string, hold: string): void {
  if (outcome.kind === 'removed') return;
  if (outcome.kind === 'failed') throw outcome.error;
  const { until } = outcome;
  const howLong = until === undefined ? 'by the store, which does not say until when' : `until ${until.toISOString()}`;
  throw new WardenError('refused', `hold ${hold} in repository ${repository} is locked ${howLong}`, {
    details: { repository, hold, lockedUntil: until?.toISOString() ?? null },
    hint: 'The store lets nobody remove it before then; try again afterwards.',
  });
}
