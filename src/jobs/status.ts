import type { ClusterFacts } from '../defrag/facts.ts';
import type { Clock } from '../ports/clock.ts';
import type { DefragRecords } from '../ports/defrag-records.ts';
import type { Etcd } from '../ports/etcd.ts';
import type { Log } from '../ports/log.ts';
import type { MemberMetrics } from '../ports/member-metrics.ts';
import { describeThrown } from '../errors/warden-error.ts';
import { lookAtCluster } from '../members/look.ts';

export interface StatusParts {
  readonly etcd: Etcd;
  readonly metrics: MemberMetrics;
  readonly records: DefragRecords;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ClusterStatus {
  readonly clusterId: bigint;
  readonly facts: ClusterFacts;
}

/** Every member as it is now. Rejects only if no member list can be had. */
export async function readStatus(
  { etcd, metrics, records, clock, log }: StatusParts,
  quotaBytes: number | undefined,
  signal: AbortSignal,
): Promise<ClusterStatus> {
  // Without quorum there are none; the members are worth looking at all the more.
  const known = await records.readAll(signal).catch((error: unknown) => {
    signal.throwIfAborted();
    log.debug('earlier defragmentations are not known', { reason: describeThrown(error) });
    return new Map();
  });
  const options = { quotaBytes, records: known };
  await using look = await lookAtCluster({ etcd, metrics, clock }, options, signal);
  return { clusterId: look.clusterId, facts: look.facts };
}
