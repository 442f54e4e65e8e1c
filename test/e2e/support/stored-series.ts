import { randomBytes } from 'node:crypto';
import { buildManifest } from '../../../src/manifest/build-manifest.ts';
import { encodeManifest } from '../../../src/manifest/manifest.ts';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { makeBackupId } from '../../../src/repository/backup-id.ts';
import { manifestName, objectKey, snapshotName, type BackupPlace } from '../../../src/repository/layout.ts';
import { prepareSealing, seal } from '../../../src/snapshot/seal.ts';
import { inspectBytes } from '../../inspect/inspect-bytes.ts';
import { bytesOf, collect } from '../../support/byte-streams.ts';
import { etcdSnapshot } from '../../support/crafted-etcd-snapshot.ts';
import { sampleFacts } from '../../support/sample-backup.ts';

const go = new AbortController().signal;
const backupsAtOnce = 16;

/** Places of `count` backups, oldest first, the newest of them taken at `newest`. */
export function series(
  cluster: string,
  lineage: string,
  { count, everyMs, newest }: { readonly count: number; readonly everyMs: number; readonly newest: Date },
): BackupPlace[] {
  return Array.from({ length: count }, (_, index) => {
    const time = new Date(newest.getTime() - (count - 1 - index) * everyMs);
    return { cluster, lineage, id: makeBackupId(time, BigInt(index + 1), randomBytes(5)) };
  });
}

/** Stores small backups that verify, compressed and not encrypted, at each of these places. */
export async function storeSeries(store: ObjectStore, places: readonly BackupPlace[]): Promise<void> {
  const snapshot = etcdSnapshot();
  const inspection = inspectBytes(snapshot);
  const prepared = await prepareSealing({ compression: { algorithm: 'zstd', level: 1 }, encryption: 'none' }, go);
  await using stream = seal(bytesOf(snapshot), prepared, go);
  const object = await collect(stream);
  const { compressedBytes, compressedSha256, sealedBytes, sealedSha256 } = stream.facts;
  const storeOne = async (place: BackupPlace): Promise<void> => {
    const manifest = buildManifest(
      sampleFacts(place, {
        inspection,
        compression: { algorithm: 'zstd', level: 1, sizeBytes: compressedBytes, sha256: compressedSha256 },
        stored: { object: snapshotName('.zst'), sizeBytes: sealedBytes, sha256: sealedSha256 },
      }),
    );
    await store.create(objectKey(place, snapshotName('.zst')), object, go);
    await store.create(objectKey(place, manifestName), encodeManifest(manifest), go);
  };
  for (let at = 0; at < places.length; at += backupsAtOnce) {
    await Promise.all(places.slice(at, at + backupsAtOnce).map(storeOne));
  }
}
