import type { BucketLeaves } from './bucket-leaves.ts';
import type { EntryReader } from './entry-reader.ts';
import type { EntrySummaries } from './entry-summaries.ts';
import type { KeptBytes } from './kept-bytes.ts';
import type { PageSummaries } from './page-summaries.ts';

/** Everything that is remembered while pages stream past. */
export interface SummaryStores {
  readonly pages: PageSummaries;
  readonly entries: EntrySummaries;
  readonly kept: KeptBytes;
  readonly bucketLeaves: BucketLeaves;
  readonly entryReader: EntryReader;
}
