import type { S3Client } from '@aws-sdk/client-s3';
import { WardenError } from '../../errors/warden-error.ts';
import type { Bucket } from './bucket.ts';
import { incompleteAnswer } from './not-s3.ts';

/** A listing that comes in pages. `Place` holds the parameters that ask for the page that begins there. */
export interface Listing<Page extends ListingPage, Place extends object> {
  /** As S3 names it: `ListObjectsV2`. */
  readonly operation: string;
  /** Of names in the bucket. */
  readonly prefix: string;
  send(client: S3Client, options: { abortSignal: AbortSignal }, place: Place | undefined): Promise<Page>;
  countEntries(page: Page): number;
  /** undefined where the page names none. */
  placeAfter(page: Page): Place | undefined;
}

interface ListingPage {
  readonly IsTruncated?: boolean | undefined;
  readonly MaxKeys?: number | undefined;
  readonly MaxUploads?: number | undefined;
  readonly NextContinuationToken?: string | undefined;
}

/** The most that S3 puts into one page. Source: Amazon S3 API reference, ListObjectsV2, `MaxKeys`. */
const fullPage = 1000;

/** Pages without an entry are lawful: S3 may skip over many delete markers in one. So many in a row are not. */
const maxEmptyPages = 1000;

/**
 * Every page of a listing. What cannot be whole is an error, never a short listing: callers remove what a listing says
 * is old, and take what it leaves out for gone.
 */
export async function* followPages<Page extends ListingPage, Place extends object>(
  bucket: Bucket,
  listing: Listing<Page, Place>,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const about = { operation: listing.operation, name: listing.prefix };
  const throwInCircle = watchForCircle(bucket);
  let emptyPages = 0;
  let place: Place | undefined;
  do {
    const from = place;
    const page = await bucket.ask(about, (client, options) => listing.send(client, options, from), signal);
    // A web page must not pass for a bucket without objects: an empty listing repeats at least what was asked for.
    if (Object.keys(page).every((field) => field === '$metadata')) {
      throw incompleteAnswer(about.operation, about.name, 'a listing');
    }
    yield page;
    const entryCount = listing.countEntries(page);
    emptyPages = entryCount > 0 ? 0 : emptyPages + 1;
    if (emptyPages > maxEmptyPages) throw wrongListing(bucket, `${emptyPages} pages in a row hold nothing`);
    place = isCutShort(bucket, page, entryCount) ? listing.placeAfter(page) : undefined;
    if (page.IsTruncated === true && place === undefined) {
      throw wrongListing(bucket, 'it is cut short without saying how to go on');
    }
    throwInCircle(place);
  } while (place !== undefined);
}

function isCutShort(bucket: Bucket, page: ListingPage, entryCount: number): boolean {
  if (page.IsTruncated === true) return true;
  // Of key markers this says nothing: some stores repeat the last key on the last page.
  if (page.NextContinuationToken) throw wrongListing(bucket, 'it says how to go on, but not that it is cut short');
  const most = Math.min(page.MaxKeys || page.MaxUploads || fullPage, fullPage);
  if (page.IsTruncated === undefined && entryCount >= most) {
    throw wrongListing(bucket, `it has a full page of ${entryCount} entries and does not say whether there are more`);
  }
  return false;
}

/**
 * Rejects a listing whose pages lead round in a circle, however large, by remembering one place only: that of every page
 * whose number is a power of two. Source: R. P. Brent, "An improved Monte Carlo factorization algorithm", 1980.
 */
function watchForCircle(bucket: Bucket): (place: object | undefined) => void {
  let remembered = '';
  let pageCount = 0;
  let rememberAt = 1;
  return (place) => {
    const current = JSON.stringify(place);
    if (current === remembered) throw wrongListing(bucket, 'its pages lead round in a circle');
    pageCount += 1;
    if (pageCount < rememberAt) return;
    remembered = current;
    rememberAt *= 2;
  };
}

/** A name as it is in the bucket. In a listing with `EncodingType: url` S3 writes a blank as `+`. */
export function decodeName(bucket: Bucket, page: { readonly EncodingType?: string | undefined }, name: string): string {
  if (page.EncodingType !== 'url') return name;
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    throw wrongListing(bucket, `${name} is said to be URL-encoded and is not`);
  }
}

export function wrongListing(bucket: Bucket, what: string): WardenError {
  return new WardenError('store-failed', `The listing of ${bucket.description} is not as it should be: ${what}.`);
}
