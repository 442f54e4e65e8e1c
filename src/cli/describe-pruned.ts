import type { PrunedRepository } from '../jobs/prune.ts';
import { formatAge, formatBytes, formatTime } from './format.ts';
import type { Result } from './output.ts';
import { formatTable } from './table.ts';

/** What prune did, or in a dry run would do: the plan with its reasons, and what became of it. */
export function describePruned(pruned: readonly PrunedRepository[], dryRun: boolean, now: Date): Result {
  return {
    json: { dryRun, repositories: pruned.map(toJson) },
    lines: pruned.flatMap((repository) => [...toLines(repository, dryRun, now), '']),
  };
}

type Plan = NonNullable<PrunedRepository['plan']>;
type Decision = Plan['decisions'][number];
type Removal = PrunedRepository['removals'] extends ReadonlyMap<string, infer Value> ? Value : never;

function toJson({ repository, plan, removals, remains, swept, otherLineages, error }: PrunedRepository): object {
  return {
    name: repository,
    lineage: plan?.lineage ?? null,
    verdict: plan?.verdict ?? 'refuse',
    ...(error === undefined
      ? {}
      : { error: { code: error.code, message: error.message, hint: error.hint, details: error.details } }),
    backups: (plan?.decisions ?? []).map(({ backup, action, reasons }) => ({
      id: backup.id,
      time: formatTime(backup.time),
      state: backup.state,
      storedBytes: backup.storedBytes,
      action,
      reasons,
      ...outcomeOf(removals.get(backup.id)),
    })),
    remains: {
      objects: remains?.folders.flatMap(({ objects }) => objects.map(({ key }) => key)) ?? [],
      uploads: remains?.uploads.map(({ key }) => key) ?? [],
    },
    swept: swept === undefined ? null : { objects: swept.objects, uploads: swept.uploads, bytes: swept.bytes },
    otherLineages: [...otherLineages].map(([lineage, backups]) => ({ lineage, backups })),
  };
}

function outcomeOf(removal: Removal | undefined): object {
  if (removal === undefined) return {};
  switch (removal.kind) {
    case 'removed':
      return { outcome: 'removed', leftovers: removal.leftovers, keptVersions: removal.keptVersions };
    case 'locked':
      return { outcome: 'locked', lockedUntil: removal.until === undefined ? null : formatTime(removal.until) };
    case 'held':
      return { outcome: 'held', holds: removal.holds };
    case 'failed':
      return { outcome: 'failed', code: removal.error.code, message: removal.error.message };
  }
}

function toLines(pruned: PrunedRepository, dryRun: boolean, now: Date): string[] {
  const { repository, plan, removals, error } = pruned;
  const lines = [`repository ${repository}${plan?.lineage === undefined ? '' : `, lineage ${plan.lineage}`}`];
  if (plan !== undefined && plan.decisions.length === 0) lines.push('  no backups');
  if (plan !== undefined && plan.decisions.length > 0) {
    const table = formatTable(plan.decisions, [
      { title: 'ID', value: ({ backup }) => backup.id },
      { title: 'AGE', align: 'right', value: ({ backup }) => formatAge(backup.time, now) },
      { title: 'STORED', align: 'right', value: ({ backup }) => formatBytes(backup.storedBytes) },
      { title: dryRun ? 'PLAN' : 'DONE', value: (decision) => describeAction(decision, removals, dryRun) },
      { title: 'WHY', value: ({ reasons }) => reasons.join(', ') },
    ]);
    lines.push(...table.map((line) => `  ${line}`), ...summary(pruned, plan, dryRun).map((line) => `  ${line}`));
  }
  if (error !== undefined) lines.push(`  ${error.message}`);
  return lines;
}

function describeAction({ backup, action }: Decision, removals: PrunedRepository['removals'], dryRun: boolean): string {
  if (action === 'keep') return dryRun ? 'keep' : 'kept';
  const removal = removals.get(backup.id);
  if (removal === undefined) return dryRun ? 'remove' : 'not removed';
  if (removal.kind !== 'locked') return removal.kind === 'failed' ? `failed: ${removal.error.code}` : removal.kind;
  return removal.until === undefined ? 'locked' : `locked until ${formatTime(removal.until)}`;
}

function summary({ removals, remains, swept, otherLineages }: PrunedRepository, plan: Plan, dryRun: boolean): string[] {
  const kept = plan.decisions.filter(({ action }) => action === 'keep').length;
  const leaving = plan.decisions.filter(({ action }) => action === 'remove').map(({ backup }) => backup);
  const gone = leaving.filter(({ id }) => removals.get(id)?.kind === 'removed');
  const sizeOf = (backups: readonly Decision['backup'][]): string =>
    formatBytes(backups.reduce((sum, { storedBytes }) => sum + storedBytes, 0));
  const lines = [
    dryRun
      ? `would keep ${kept} and remove ${leaving.length} (${sizeOf(leaving)})`
      : `kept ${plan.decisions.length - gone.length}, removed ${gone.length} (${sizeOf(gone)})`,
  ];
  const found = (remains?.folders.length ?? 0) + (remains?.uploads.length ?? 0);
  if (dryRun && remains !== undefined && found > 0) {
    lines.push(`would sweep what dead runs left: ${remains.folders.length} folders, ${remains.uploads.length} uploads`);
  }
  if (swept !== undefined && swept.objects + swept.uploads > 0) {
    lines.push(
      `swept what dead runs left: ${swept.objects} objects (${formatBytes(swept.bytes)}), ${swept.uploads} uploads`,
    );
  }
  const versions = [...removals.values()].reduce(
    (sum, removal) => sum + (removal.kind === 'removed' ? removal.keptVersions : 0),
    0,
  );
  if (versions > 0)
    lines.push(`${versions} removed objects stay as older versions: a lifecycle rule of the bucket has to expire them`);
  for (const [lineage, count] of otherLineages) {
    const backups = count === 1 ? '1 backup' : `${count} backups`;
    const verb = count === 1 ? 'was' : 'were';
    lines.push(`${backups} of lineage ${lineage} ${verb} not looked at: --lineage ${lineage} prunes them`);
  }
  return lines;
}
