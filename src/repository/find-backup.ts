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
    throw noneUsable(entries, reference, repository);
  }
  // Every id starts with an empty text, such as a variable of a script that was never set: no backup is meant by it.
  const matches = entries.filter(
    (entry) => entry.hasManifest && reference !== '' && entry.place.id.text.startsWith(reference),
  );
  const [match, ...others] = matches;
  if (match === undefined) throw notFound(entries, reference, repository);
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

function noneUsable(entries: readonly CatalogueEntry[], reference: string, repository: string): WardenError {
  const wanted = reference === 'latest' ? 'complete backup' : 'backup that was read back and verified';
  const count = (state: CatalogueEntry['state']): number => entries.filter((entry) => entry.state === state).length;
  const [damaged, incomplete] = [count('damaged'), count('incomplete')];
  const rest = damaged + incomplete === 0 ? '' : `: ${damaged} are damaged, ${incomplete} incomplete`;
  return new WardenError('backup-not-found', `repository ${repository} holds no ${wanted}${rest}`, {
    details: { repository, damaged, incomplete },
    ...(damaged === 0
      ? {}
      : { hint: 'A damaged backup can be tried by its id, which `etcd-warden list --all` shows.' }),
  });
}

function notFound(entries: readonly CatalogueEntry[], reference: string, repository: string): WardenError {
  const details = { repository, reference };
  const remains = entries.find(({ place }) => reference !== '' && place.id.text.startsWith(reference));
  if (remains === undefined) {
    const message = `repository ${repository} holds no backup whose id starts with ${JSON.stringify(reference)}`;
    return new WardenError('backup-not-found', message, { details });
  }
  return new WardenError(
    'backup-not-found',
    `${remains.place.id.text} in repository ${repository} is no backup: it has no manifest, because its run did not finish or because the manifest was removed`,
    {
      details,
      hint: 'Its snapshot object may still prove itself: fetch it and run `etcd-warden restore PATH --to FILE`.',
    },
  );
}
