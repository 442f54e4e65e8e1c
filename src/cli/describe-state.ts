import type { ObjectInfo } from '../ports/object-store.ts';
import type { CatalogueEntry } from '../repository/catalogue.ts';

/** The state of a backup in words, and what keeps it from being removed. */
export function describeState(entry: Pick<CatalogueEntry, 'state' | 'holds'> & Lock, now: Date): string[] {
  return [entry.state, ...(entry.holds.length > 0 ? ['held'] : []), ...(isLocked(entry, now) ? ['locked'] : [])];
}

type Lock = Pick<ObjectInfo, 'lockedUntil' | 'hasLegalHold'>;

/** Whether the store itself forbids to remove it now, as far as is known. */
export function isLocked({ lockedUntil, hasLegalHold = false }: Lock, now: Date): boolean {
  return hasLegalHold || (lockedUntil !== undefined && lockedUntil > now);
}
