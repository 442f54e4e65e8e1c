import type { PrunedRepository } from '../jobs/prune.ts';
import { formatBytes } from '../format.ts';

type Plan = NonNullable<PrunedRepository['plan']>;

/** The figures below a plan or its outcome, a line for each thing that an operator should know. */
export function summarizePruned(pruned: PrunedRepository, dryRun: boolean): string[] {
  return [...summarizeBackups(pruned, dryRun), ...summarizeRemains(pruned, dryRun), ...summarizeOthers(pruned)];
}

function summarizeBackups({ plan, removals }: PrunedRepository, dryRun: boolean): string[] {
  if (plan === undefined || plan.decisions.length === 0) return [];
  const leaving = plan.decisions.filter(({ action }) => action === 'remove').map(({ backup }) => backup);
  const gone = leaving.filter(({ id }) => removals.get(id)?.kind === 'removed');
  const sizeOf = (backups: readonly Plan['decisions'][number]['backup'][]): string =>
    formatBytes(backups.reduce((sum, { storedBytes }) => sum + storedBytes, 0));
  if (dryRun || plan.verdict === 'refuse') {
    const refused = plan.verdict === 'refuse' ? ', but is refused' : '';
    return [
      `would keep ${plan.decisions.length - leaving.length} and remove ${leaving.length} (${sizeOf(leaving)})${refused}`,
    ];
  }
  const rests = [...removals.values()].flatMap((removal) => (removal.kind === 'removed' ? [removal.rest] : []));
  const total = (of: (rest: (typeof rests)[number]) => number): number =>
    rests.reduce((sum, rest) => sum + of(rest), 0);
  const [left, versions] = [total(({ failed, locked }) => failed + locked), total(({ keptVersions }) => keptVersions)];
  return [
    `kept ${plan.decisions.length - gone.length}, removed ${gone.length} (${sizeOf(gone)})`,
    ...(left === 0 ? [] : [`${count(left, 'object')} of removed backups could not go yet; the next prune tries again`]),
    ...(versions === 0
      ? []
      : [
          `${count(versions, 'removed object')} stay as older versions: a lifecycle rule of the bucket has to expire them`,
        ]),
  ];
}

function summarizeRemains({ remains, swept }: PrunedRepository, dryRun: boolean): string[] {
  const lines: string[] = [];
  const ids = (folders: NonNullable<typeof remains>['folders']): string =>
    folders.map(({ place }) => place.id.text).join(', ');
  if (remains !== undefined && remains.suspicious.length > 0) {
    lines.push(
      `left alone, because they seem to have lost their manifest rather than never had one: ${ids(remains.suspicious)}; --accept lost-manifests sweeps them`,
    );
  }
  if (dryRun && remains !== undefined && remains.folders.length > 0)
    lines.push(`would sweep what dead runs left: ${ids(remains.folders)}`);
  if (dryRun && remains !== undefined && remains.uploads.length > 0)
    lines.push(`would abort ${count(remains.uploads.length, 'unfinished upload')}`);
  if (swept !== undefined && swept.objects + swept.uploads > 0) {
    lines.push(
      `swept what dead runs left: ${count(swept.objects, 'object')} (${formatBytes(swept.bytes)}), ${count(swept.uploads, 'upload')}`,
    );
  }
  if (swept !== undefined && swept.locked > 0)
    lines.push(`${count(swept.locked, 'object')} that dead runs left are locked for now`);
  return lines;
}

function summarizeOthers({ otherLineages, otherClusters }: PrunedRepository): string[] {
  const lines = [...otherLineages].map(
    ([lineage, backups]) =>
      `not looked at: ${count(backups, 'backup')} of lineage ${lineage}; --lineage ${lineage} prunes them`,
  );
  if (otherClusters.length > 0) lines.push(`there are backups of ${otherClusters.join(', ')}: is cluster.name right?`);
  return lines;
}

export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
