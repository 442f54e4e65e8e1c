import { ListObjectVersionsCommand, type ListObjectVersionsCommandOutput } from '@aws-sdk/client-s3';
import type { Bucket } from './bucket.ts';
import { decodeName, followPages, wrongListing } from './pages.ts';

/** One version of an object, or a delete marker, which hides the versions before it. */
export interface ObjectVersion {
  /** In the bucket. */
  readonly name: string;
  readonly versionId: string;
  /** Whether it is what the name reads as. */
  readonly isLatest: boolean;
  readonly isMarker: boolean;
}

/** What the bucket keeps under each of these very names. A name under which it keeps nothing has no entry. */
export async function listVersions(
  bucket: Bucket,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly ObjectVersion[]>> {
  const wanted = new Set(names);
  const found = new Map<string, Map<string, ObjectVersion>>();
  for await (const page of versionPages(bucket, commonFolder(names), signal)) {
    for (const version of versionsIn(bucket, page)) {
      // The folder holds neighbours too.
      if (!wanted.has(version.name)) continue;
      const versions = found.get(version.name) ?? new Map<string, ObjectVersion>();
      // Some stores begin a page with the version that ended the one before.
      found.set(version.name, versions.set(version.versionId, version));
    }
  }
  return new Map([...found].map(([name, versions]) => [name, [...versions.values()]]));
}

function* versionsIn(bucket: Bucket, page: ListObjectVersionsCommandOutput): Generator<ObjectVersion> {
  const entries = [
    ...(page.Versions ?? []).map((version) => ({ ...version, isMarker: false })),
    ...(page.DeleteMarkers ?? []).map((marker) => ({ ...marker, isMarker: true })),
  ];
  for (const { Key: name, VersionId: versionId, IsLatest: isLatest, isMarker } of entries) {
    if (!name || !versionId || isLatest === undefined) {
      throw wrongListing(bucket, 'a version lacks its key, its id or whether it is the latest');
    }
    yield { name: decodeName(bucket, page, name), versionId, isLatest, isMarker };
  }
}

function versionPages(
  bucket: Bucket,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ListObjectVersionsCommandOutput> {
  const asked = { Bucket: bucket.options.bucket, Prefix: prefix, EncodingType: 'url' as const };
  return followPages(
    bucket,
    {
      operation: 'ListObjectVersions',
      prefix,
      send: (client, options, place) => client.send(new ListObjectVersionsCommand({ ...asked, ...place }), options),
      countEntries: (page) => (page.Versions?.length ?? 0) + (page.DeleteMarkers?.length ?? 0),
      placeAfter: (page) =>
        page.NextKeyMarker
          ? {
              KeyMarker: decodeName(bucket, page, page.NextKeyMarker),
              ...(page.NextVersionIdMarker && { VersionIdMarker: page.NextVersionIdMarker }),
            }
          : undefined,
    },
    signal,
  );
}

/** The deepest folder that holds all of them; it ends in a slash unless it is the whole bucket. */
function commonFolder(names: readonly string[]): string {
  let [folder = ''] = names;
  for (const name of names) while (!name.startsWith(folder)) folder = folder.slice(0, -1);
  return folder.slice(0, folder.lastIndexOf('/') + 1);
}
