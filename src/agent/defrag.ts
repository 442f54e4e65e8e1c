import type { Config } from '../config/schema.ts';
import { describeThrown } from '../errors/warden-error.ts';
import type { DefragPolicy, DefragRule } from '../defrag/policy.ts';
import type { DefragOptions, DefragParts } from '../jobs/defrag.ts';
import { formatLineage } from '../repository/layout.ts';
import { readCatalogue } from '../repository/catalogue.ts';
import type { Parts } from './compose.ts';
import { describeHolder } from './describe-holder.ts';

/** What the configuration says of every defragmentation. */
export function defragFacts({ cluster, defrag }: Config): Omit<DefragOptions, 'request'> {
  return {
    policy: toPolicy(defrag),
    quotaBytes: quotaBytesOf(cluster),
    pauseMs: defrag.pause.ms,
    disarmNospace: defrag.disarmNospace,
    holder: describeHolder('defrag'),
  };
}

export function quotaBytesOf({ quota }: Config['cluster']): number | undefined {
  return quota === 'auto' ? undefined : quota.bytes;
}

export function defragParts(parts: Parts, { cluster }: Config): Omit<DefragParts, 'progress'> {
  return {
    ...parts,
    findNewestBackup: (clusterId, signal) => findNewestBackup(parts, cluster.name, clusterId, signal),
  };
}

/** One repository that can be listed is enough. */
async function findNewestBackup(
  { repositories, log }: Pick<Parts, 'repositories' | 'log'>,
  cluster: string,
  clusterId: bigint,
  signal: AbortSignal,
): Promise<Date | undefined> {
  let newest: Date | undefined;
  const failures: unknown[] = [];
  for (const { name, store } of repositories) {
    try {
      const { entries } = await readCatalogue(store, cluster, formatLineage(clusterId), signal);
      const time = entries.find(({ state }) => state === 'complete')?.place.id.time;
      if (time !== undefined && (newest === undefined || time > newest)) newest = time;
    } catch (error) {
      signal.throwIfAborted();
      log.warn('the repository cannot be listed', { repository: name, reason: describeThrown(error) });
      failures.push(error);
    }
  }
  if (newest === undefined && failures.length > 0) throw failures[0];
  return newest;
}

function toPolicy({
  rules,
  minReclaim,
  cooldown,
  requireBackupWithin,
  emergencyUsage,
  ...same
}: Config['defrag']): DefragPolicy {
  const { moveLeader, maxRaftLag, allowSingleMember } = same;
  return {
    rules: rules.map(toRule),
    minReclaimBytes: minReclaim.bytes,
    emergencyUsage: emergencyUsage.fraction,
    cooldownMs: cooldown.ms,
    requireBackupWithinMs: requireBackupWithin.ms,
    moveLeader,
    maxRaftLag,
    allowSingleMember,
  };
}

function toRule(rule: Config['defrag']['rules'][number]): DefragRule {
  const { fragmentationAbove, dbSizeAbove, reclaimableAbove, usageAbove } = rule;
  return {
    fragmentationAbove: fragmentationAbove?.fraction,
    dbSizeAboveBytes: dbSizeAbove?.bytes,
    reclaimableAbove,
    usageAbove: usageAbove?.fraction,
  };
}
