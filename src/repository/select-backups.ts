import { createHash } from 'node:crypto';
import { WardenError } from '../errors/warden-error.ts';
import type { Repository } from '../ports/repository.ts';
import { readCatalogue, type CatalogueEntry } from './catalogue.ts';
import { findBackup } from './find-backup.ts';

/** How far the clocks of agent and store may lie apart. */
const clockToleranceMs = 60 * 60_000;

/** Which backups of a repository are meant. */
export type Selection =
  | { readonly kind: 'references'; readonly references: readonly string[] }
  | { readonly kind: 'all' }
  /** The n-th of `of` parts of about equal size; a backup always falls into the same one. */
  | { readonly kind: 'subset'; readonly part: number; readonly of: number }
  /** The newest, and `part`/`of` of all, those first whose last proof lies furthest back: in time everyone's turn comes. */
  | { readonly kind: 'rotation'; readonly part: number; readonly of: number };

/** Backups with a manifest, newest first. Rejects with `backup-not-found`, also where there is none at all, or `backup-ambiguous`. */
export async function selectBackups(
  repository: Repository,
  cluster: string,
  selection: Selection,
  signal: AbortSignal,
): Promise<readonly CatalogueEntry[]> {
  const { entries } = await readCatalogue(repository.store, cluster, undefined, signal);
  if (selection.kind === 'references') {
    return selection.references.map((reference) => findBackup(entries, reference, repository.name));
  }
  const committed = entries.filter((entry) => entry.hasManifest);
  // A job that verifies nothing every night because of a wrong name must not look like one that finds all well.
  if (committed.length === 0) {
    throw new WardenError('backup-not-found', `repository ${repository.name} holds no backup of ${cluster}`, {
      details: { repository: repository.name, cluster },
    });
  }
  if (selection.kind === 'all') return committed;
  if (selection.kind === 'rotation') return chooseDue(committed, selection);
  return committed.filter((entry) => partOf(entry.place.id.text, selection.of) === selection.part);
}

/** A backup was proved when it was taken as well. What is known to be damaged is looked at like any other: it may have healed. */
function chooseDue(entries: readonly CatalogueEntry[], { part, of }: { part: number; of: number }): CatalogueEntry[] {
  const provedMs = ({ verifiedAt, damagedAt, place }: CatalogueEntry): number =>
    Math.max(place.id.time.getTime(), verifiedAt?.getTime() ?? 0, damagedAt?.getTime() ?? 0);
  const newest = entries.find((entry) => entry.state === 'complete' && !isDatedAhead(entry));
  const others = entries.filter((entry) => entry !== newest).sort((one, other) => provedMs(one) - provedMs(other));
  const count = Math.ceil((entries.length * part) / of);
  return [...(newest === undefined ? [] : [newest]), ...others.slice(0, count)];
}

/** By the clock of the store: one whose date is of a clock that was wrong would be the newest for years. */
function isDatedAhead({ place, storedAt }: CatalogueEntry): boolean {
  return storedAt !== undefined && place.id.time.getTime() > storedAt.getTime() + clockToleranceMs;
}

function partOf(id: string, of: number): number {
  return (createHash('sha256').update(id).digest().readUInt32BE(0) % of) + 1;
}
