import { WardenError } from '../errors/warden-error.ts';
import type { CatalogueEntry } from './catalogue.ts';

/**
 * The backup that `reference` means: an id, an unambiguous prefix of one, `latest` (the newest complete one) or
 * `latest-verified` (the newest complete one that a read-back proved). Damaged backups are found by id only. Throws
 * with `backup-not-found` or `backup-ambiguous`.
 *
 * @param entries newest first, as `readCatalogue` gives them
 */
export function findBackup(entries: readonly CatalogueEntry[], reference: string, repository: string): CatalogueEntry {
  const complete = entries.filter((entry) => entry.state === 'complete');
  if (reference === 'latest' || reference === 'latest-verified') {
    const newest = complete.find((entry) => reference === 'latest' || entry.verifiedAt !== undefined);
    if (newest !== undefined) return newest;
    const wanted = reference === 'latest' ? 'complete backup' : 'backup that was read back and verified';
    throw new WardenError('backup-not-found', `repository ${repository} holds no ${wanted}`, {
      details: { repository },
    });
  }
  // Every id starts with an empty text, such as a variable of a script that was never set: no backup is meant by it.
  const matches = entries.filter(
    (entry) => entry.hasManifest && reference !== '' && entry.place.id.text.startsWith(reference),
  );
  const [match, ...others] = matches;
  if (match === undefined) {
    throw new WardenError(
      'backup-not-found',
      `repository ${repository} holds no backup whose id starts with ${JSON.stringify(reference)}`,
      {
        details: { repository, reference },
      },
    );
  }
  if (others.length > 0 && match.place.id.text !== reference) {
    const ids = matches.slice(0, 5).map((entry) => entry.place.id.text);
    throw new WardenError(
      'backup-ambiguous',
      `${reference} fits ${matches.length} backups of ${repository}: ${ids.join(', ')}`,
      {
        details: { repository, reference, ids },
      },
    );
  }
  return match;
}
