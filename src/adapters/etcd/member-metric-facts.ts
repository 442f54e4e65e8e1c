import type { MemberMetricFacts } from '../../ports/member-metrics.ts';
import { readSamples, type Sample } from './prometheus-text.ts';

/** Names since etcd 3.4, unchanged up to 3.7. Source: metrics.go of etcd's server, mvcc, backend and rafthttp. */
const families = {
  quota: 'etcd_server_quota_backend_bytes',
  serverId: 'etcd_server_id',
  readTransactions: 'etcd_mvcc_db_open_read_transactions',
  defragmenting: 'etcd_disk_defrag_inflight',
  /** A gauge in spite of its name, for each receiving member; absent until the first one. */
  raftSnapshots: 'etcd_network_snapshot_send_inflights_total',
  /** Counters of https://github.com/grpc-ecosystem/go-grpc-middleware, for each method. */
  started: 'grpc_server_started_total',
  handled: 'grpc_server_handled_total',
} as const;

const wanted: ReadonlySet<string> = new Set(Object.values(families));

export interface ReadMetrics {
  readonly facts: MemberMetricFacts;
  /** Who served them, in hexadecimal as etcd writes ids; undefined where that is not told. */
  readonly memberId: string | undefined;
}

/** What a member's metrics tell; undefined where the text holds none of etcd's. */
export function readMemberMetrics(text: string): ReadMetrics | undefined {
  if (!/^etcd_\w+[{ ]/m.test(text)) return undefined;
  const samples = [...readSamples(text, wanted)];
  const valueOf = (name: string): number | undefined => samples.find((sample) => sample.name === name)?.value;
  const sumOf = (name: string, counts: (sample: Sample) => boolean = () => true): number =>
    samples.filter((sample) => sample.name === name && counts(sample)).reduce((sum, { value }) => sum + value, 0);
  const defragmenting = valueOf(families.defragmenting);
  const openSnapshots = sumOf(families.started, isSnapshot) - sumOf(families.handled, isSnapshot);
  return {
    facts: {
      quotaBytes: valueOf(families.quota),
      // A server may count a method only once it was called, but never leaves all of them out. The two counters are not
      // read at one instant.
      openSnapshots: valueOf(families.started) === undefined ? undefined : Math.max(0, openSnapshots),
      raftSnapshotsInFlight: sumOf(families.raftSnapshots),
      openReadTransactions: valueOf(families.readTransactions),
      isDefragmenting: defragmenting === undefined ? undefined : defragmenting > 0,
    },
    memberId: samples.find(({ name, value }) => name === families.serverId && value === 1)?.labels.get('server_id'),
  };
}

function isSnapshot({ labels }: Sample): boolean {
  return labels.get('grpc_service') === 'etcdserverpb.Maintenance' && labels.get('grpc_method') === 'Snapshot';
}
