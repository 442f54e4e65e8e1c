import type { Inspection } from '../inspect/inspection.ts';
import type { LiveMemberResult, Manifest, ManifestCheck } from './schema.ts';

/** All that a manifest is made of; see schema.ts for what the parts mean. */
export interface ManifestFacts {
  readonly id: string;
  readonly toolVersion: string;
  readonly cluster: Manifest['cluster'];
  readonly member: Manifest['member'];
  readonly readRevision: bigint | undefined;
  readonly noReadBecause: string | undefined;
  readonly inspection: Inspection;
  readonly skippedMembers: Manifest['skippedMembers'];
  readonly liveMembers: readonly LiveMemberResult[];
  readonly compression: Manifest['compression'];
  readonly encryption: Manifest['encryption'];
  readonly stored: Manifest['stored'];
  readonly timings: Manifest['timings'];
  readonly tags: Readonly<Record<string, string>>;
}

/** The manifest of a snapshot that was proved sound. */
export function buildManifest(facts: ManifestFacts): Manifest {
  const { inspection, readRevision } = facts;
  const reason = facts.noReadBecause ?? 'no quorum';
  return {
    format: 'etcd-warden-manifest',
    version: 1,
    id: facts.id,
    tool: { name: 'etcd-warden', version: facts.toolVersion },
    cluster: facts.cluster,
    member: facts.member,
    freshness:
      readRevision === undefined
        ? { checked: false, reason: reason.slice(0, 1000) }
        : { checked: true, readRevision: readRevision.toString() },
    snapshot: describeSnapshot(inspection),
    skippedMembers: [...facts.skippedMembers],
    liveMembers: [...facts.liveMembers],
    compression: facts.compression,
    encryption: facts.encryption,
    stored: facts.stored,
    checks: listChecks(facts),
    timings: facts.timings,
    tags: { ...facts.tags },
    restore: restoreCommands(facts.id, facts.stored.object),
  };
}

/** What an encrypted message is bound to (docs/format.md). Compared when a backup is opened. */
export function encryptionContext(cluster: string, lineage: string, id: string): Record<string, string> {
  return { 'etcd-warden:backup': id, 'etcd-warden:cluster': cluster, 'etcd-warden:lineage': lineage };
}

function describeSnapshot(inspection: Inspection): Manifest['snapshot'] {
  const { kvHash } = inspection;
  return {
    revision: inspection.revision.toString(),
    compactRevision: inspection.compactRevision.toString(),
    hash: inspection.hash ?? 0,
    kvHash:
      kvHash === undefined
        ? null
        : {
            hash: kvHash.hash,
            revision: kvHash.revision.toString(),
            compactRevision: kvHash.compactRevision.toString(),
          },
    totalEntries: inspection.totalEntries,
    liveKeys: inspection.liveKeys ?? null,
    pageSizeBytes: inspection.pageSizeBytes ?? 0,
    storageVersion: inspection.storageVersion ?? null,
    clusterVersion: inspection.clusterVersion ?? null,
    sizeBytes: inspection.sizeBytes,
    sha256: inspection.sha256,
    encryptionProviders: inspection.encryptionProviders.map(({ keys, ...named }) => ({ ...named, keys: keys ?? null })),
  };
}

function listChecks(facts: ManifestFacts): ManifestCheck[] {
  const { inspection, readRevision, liveMembers } = facts;
  const passed = (name: ManifestCheck['name'], detail: string): ManifestCheck => ({ name, result: 'passed', detail });
  return [
    passed('length', `${inspection.sizeBytes} bytes, as the member announced`),
    passed('trailer', 'the SHA-256 that etcd appended matches'),
    passed('structure', 'every page that the tree reaches is sound and none is reached twice'),
    passed('etcd-layout', 'revisions rise and every value is a key-value record'),
    readRevision === undefined
      ? {
          name: 'freshness',
          result: 'not-checked',
          detail: `freshness not checked: ${facts.noReadBecause ?? 'no quorum'}`.slice(0, 1000),
        }
      : passed(
          'freshness',
          `revision ${inspection.revision} is at least ${readRevision}, read before the stream began`,
        ),
    judgeLiveHash(liveMembers, inspection.kvHashSkipped),
  ];
}

function judgeLiveHash(liveMembers: readonly LiveMemberResult[], skipped: string | undefined): ManifestCheck {
  const names = (result: LiveMemberResult['result']): string[] =>
    liveMembers.filter((live) => live.result === result).map((live) => live.member);
  const [equal, differs] = [names('equal'), names('differs')];
  const list = (members: readonly string[]): string => members.join(', ').slice(0, 900);
  if (differs.length > 0) return { name: 'live-hash', result: 'differs', detail: `another HashKV on ${list(differs)}` };
  if (equal.length > 0) return { name: 'live-hash', result: 'passed', detail: `the same HashKV on ${list(equal)}` };
  return { name: 'live-hash', result: 'not-checked', detail: skipped ?? 'no member was comparable' };
}

/** How to get the database back, with us and without us: it must be at hand when all else is gone. */
function restoreCommands(id: string, storedName: string): string[] {
  const opened = storedName.replace(/\.enc$/, '');
  const commands = [
    `etcd-warden restore ${id} --to snapshot.db`,
    'etcdutl snapshot restore snapshot.db --data-dir DIR --name NAME --initial-cluster NAME=PEER_URL --initial-advertise-peer-urls PEER_URL --initial-cluster-token NEW_TOKEN',
  ];
  if (opened !== storedName) {
    commands.push(
      `without etcd-warden: any AWS Encryption SDK or its CLI turns ${storedName} into ${opened} (docs/format.md)`,
    );
  }
  if (opened.endsWith('.zst')) commands.push(`without etcd-warden: zstd -d ${opened} -o snapshot.db`);
  return commands;
}
