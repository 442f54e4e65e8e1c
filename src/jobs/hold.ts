import { toWardenError, type WardenError } from '../errors/warden-error.ts';
import type { Hold } from '../manifest/hold.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Repository } from '../ports/repository.ts';
import { placeHold, type Held } from '../repository/holds.ts';
import { locateBackup, type BackupSite } from '../repository/locate-backup.ts';

export interface HoldParts {
  readonly repositories: readonly Repository[];
  readonly clock: Clock;
  readonly log: Log;
}

export interface HoldRequest {
  /** As `findBackup` takes it. */
  readonly reference: string;
  readonly name: string;
  readonly reason: string;
}

export interface HeldBackup {
  readonly backup: string;
  /** One for each repository. */
  readonly copies: readonly HeldCopy[];
}

export type HeldCopy = { readonly repository: string } & (
  | Held
  /** The repository does not have this backup. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly error: WardenError }
);

/** Exempts a backup from retention in every repository that has it: it is chosen once, never one here and one there. */
export async function holdBackup(
  { repositories, clock, log }: HoldParts,
  cluster: string,
  { reference, name, reason }: HoldRequest,
  signal: AbortSignal,
): Promise<HeldBackup> {
  const { id, sites } = await locateBackup(repositories, cluster, { reference }, signal);
  const hold = { name, reason, at: clock.now() };
  const copies = await Promise.all(sites.map((site) => holdCopy(site, id, hold, log, signal)));
  return { backup: id, copies };
}

async function holdCopy(
  site: BackupSite,
  backup: string,
  hold: Omit<Hold, 'backup'>,
  log: Log,
  signal: AbortSignal,
): Promise<HeldCopy> {
  const repository = site.repository.name;
  if (site.kind === 'absent') return { repository, kind: 'absent' };
  const fields = { repository, backup, hold: hold.name, reason: hold.reason };
  try {
    if (site.kind === 'unlisted') throw site.error;
    const held = await placeHold(site.repository.store, site.entry.place, hold, signal);
    if (held.kind === 'held') log.info('backup held', fields);
    else log.info('backup held already', { ...fields, reason: held.hold?.reason });
    return { repository, ...held };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toWardenError(thrown);
    log.error('backup not held', { ...fields, code: error.code, failure: error.message });
    return { repository, kind: 'failed', error };
  }
}
