import type { Quota } from '../defrag/facts.ts';

/** What etcd takes where none is set. Source: etcd server/storage/quota.go, DefaultQuotaBytes. */
const defaultQuotaBytes = 2 * 1024 ** 3;

/**
 * A member's quota from the first source that tells: the configuration, its status (3.6 and later), its metrics. To etcd 0
 * means its default, and a negative number no limit.
 */
export function readQuota(
  configuredBytes: number | undefined,
  statusBytes: number | undefined,
  metricsBytes: number | undefined,
  metricsUnknownBecause: string,
): Quota {
  if (configuredBytes !== undefined) return { kind: 'limited', bytes: configuredBytes, source: 'configuration' };
  if (statusBytes !== undefined) return toQuota(statusBytes, 'status');
  if (metricsBytes !== undefined) return toQuota(metricsBytes, 'metrics');
  return { kind: 'unknown', reason: metricsUnknownBecause };
}

function toQuota(bytes: number, source: 'status' | 'metrics'): Quota {
  if (bytes < 0) return { kind: 'unlimited', source };
  return { kind: 'limited', bytes: bytes === 0 ? defaultQuotaBytes : bytes, source };
}
