import { toWardenError, WardenError } from '../errors/warden-error.ts';
import { readCatalogue } from '../repository/catalogue.ts';
import type { Parts } from './compose.ts';
import { type CatalogueSummary, summarizeCatalogue } from './summarize-catalogue.ts';

/** What one repository told, or why it told nothing. */
export type Listing = { readonly name: string; readonly location: string } & (
  | { readonly summary: CatalogueSummary; readonly error: undefined }
  | { readonly summary: undefined; readonly error: WardenError }
);

export interface ListingOptions {
  readonly cluster: string;
  /** As long as the slowest one may take. */
  readonly limitMs: number;
  /** Told of each as soon as it is known. */
  readonly onListing?: (listing: Listing) => void;
}

/** Lists and measures every repository. What one of them cannot tell does not hide the others. Rejects only when interrupted. */
export async function listRepositories(
  { repositories, clock, log, measures }: Pick<Parts, 'repositories' | 'clock' | 'log' | 'measures'>,
  { cluster, limitMs, onListing = () => undefined }: ListingOptions,
  signal: AbortSignal,
): Promise<void> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  await Promise.all(
    repositories.map(async ({ name, store }) => {
      const location = store.description;
      try {
        const { entries } = await readCatalogue(store, cluster, undefined, limited);
        const summary = summarizeCatalogue(name, entries, clock.now());
        measures.repositoryListed(name, summary.facts);
        onListing({ name, location, summary, error: undefined });
      } catch (thrown) {
        signal.throwIfAborted();
        const error = limited.aborted ? tooSlow(name, limitMs) : toWardenError(thrown);
        log.warn('the repository cannot be listed', { repository: name, code: error.code, reason: error.message });
        onListing({ name, location, summary: undefined, error });
      }
    }),
  );
}

/** In its own words: the store knows only that it was told to stop. */
function tooSlow(repository: string, limitMs: number): WardenError {
  return new WardenError('store-timeout', `the listing of ${repository} did not end within ${limitMs / 1000} s`);
}
