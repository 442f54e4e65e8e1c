import type { ClusterFacts } from '../defrag/facts.ts';
import type { Clock } from '../ports/clock.ts';
import type { DefragRecords } from '../ports/defrag-records.ts';
import type { Etcd } from '../ports/etcd.ts';
import type { Log } from '../ports/log.ts';
import type { MemberMetrics } from '../ports/member-metrics.ts';
import type { Repository } from '../ports/repository.ts';
import { describeThrown, toWardenError, type WardenError } from '../errors/warden-error.ts';
import { lookAtCluster } from '../members/look.ts';
import { readCatalogue } from '../repository/catalogue.ts';
import { formatLineage } from '../repository/layout.ts';

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

export interface RepositoryStatus {
  readonly name: string;
  /** The newest usable backup of this cluster; undefined where there is none or nobody could look. */
  readonly newest: { readonly id: string; readonly time: Date; readonly verifiedAt: Date | undefined } | undefined;
  readonly error: WardenError | undefined;
}

/** What the listings tell. Rejects only when interrupted. */
export async function readNewestBackups(
  repositories: readonly Repository[],
  { cluster, clusterId }: { readonly cluster: string; readonly clusterId: bigint },
  signal: AbortSignal,
): Promise<RepositoryStatus[]> {
  return Promise.all(
    repositories.map(async ({ name, store }) => {
      try {
        const { entries } = await readCatalogue(store, cluster, formatLineage(clusterId), signal);
        const found = entries.find(({ state }) => state === 'complete');
        const newest = found && { id: found.place.id.text, time: found.place.id.time, verifiedAt: found.verifiedAt };
        return { name, newest, error: undefined };
      } catch (error) {
        signal.throwIfAborted();
        return { name, newest: undefined, error: toWardenError(error) };
      }
    }),
  );
}
