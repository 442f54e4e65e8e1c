import { credibleTime } from './doubts.ts';
import type { BackupFacts, RetentionFacts } from './facts.ts';
import { newestFirst } from './order.ts';
import { backupCount, instant } from './words.ts';

export interface ChosenLineage {
  readonly lineage: string;
  /** Newest first; empty where the lineage that was asked for has none. */
  readonly backups: readonly BackupFacts[];
  /** Why it is not clear which lineage is meant, in a sentence. */
  readonly ambiguity: string | undefined;
}

/**
 * The lineage asked for, or else that of the newest backup: after a disaster restore the new cluster goes on under the
 * same name, and the backups of the lost one stay untouched. Damaged backups take part, because otherwise damage to
 * the few backups of the new lineage would turn retention on the old one. undefined where there is no backup at all.
 */
export function chooseLineage({ now, backups, lineage }: RetentionFacts): ChosenLineage | undefined {
  const lineages = Map.groupBy(
    backups.map((facts) => dated(facts, now)).sort(newestFirst),
    ({ facts }) => facts.lineage,
  );
  // The first one met holds the newest backup.
  const chosen = lineage ?? lineages.keys().next().value;
  if (chosen === undefined) return undefined;
  return {
    lineage: chosen,
    backups: (lineages.get(chosen) ?? []).map(({ facts }) => facts).sort(newestFirst),
    ambiguity: lineage === undefined ? describeInterleaving(lineages, chosen) : undefined,
  };
}

interface DatedBackup extends Pick<BackupFacts, 'time' | 'revision' | 'id'> {
  readonly facts: BackupFacts;
}

/** In its credible place among the others, so that one that claims to be of next year does not decide for a year. */
function dated(facts: BackupFacts, now: Date): DatedBackup {
  return { facts, time: credibleTime(facts, now), revision: facts.revision, id: facts.id };
}

/** A lineage that ended before ours began is a lost cluster; one that went on meanwhile may be somebody's living one. */
function describeInterleaving(
  lineages: ReadonlyMap<string, readonly DatedBackup[]>,
  chosen: string,
): string | undefined {
  const oldest = lineages.get(chosen)?.at(-1);
  const interleaved = [...lineages].filter(
    ([lineage, [newest]]) =>
      lineage === chosen || (oldest !== undefined && newest !== undefined && newest.time > oldest.time),
  );
  if (interleaved.length < 2) return undefined;
  const described = interleaved.map(
    ([lineage, series]) =>
      `${lineage} (${backupCount(series.length)}${series[0] ? `, newest ${instant(series[0].time)}` : ''})`,
  );
  return `${interleaved.length} lineages have backups from the same time, so it is not clear which one is meant: ${described.join(', ')}`;
}
