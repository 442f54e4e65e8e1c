import type { PrunedRepository } from '../jobs/prune.ts';
import { formatAge, formatBytes, formatTime } from '../format.ts';
import type { Result } from './output.ts';
import { count, summarizePruned } from './summarize-pruned.ts';
import { formatTable } from './table.ts';

/** What prune did, or in a dry run would do: the plan with its reasons, and what became of it. */
export function describePruned(pruned: readonly PrunedRepository[], dryRun: boolean, now: Date): Result {
  return {
    json: { dryRun, repositories: pruned.map(toJson) },
    lines: pruned.flatMap((repository) => [...toLines(repository, dryRun, now), '']),
  };
}

/** The same after a backup, in a line or two for each repository. */
export function describePrunedBriefly(pruned: readonly PrunedRepository[]): Result {
  return {
    json: { dryRun: false, repositories: pruned.map(toJson) },
    lines: pruned.flatMap((repository) => {
      const summary = [...describeVerdict(repository, false), ...summarizePruned(repository, false)];
      return summary.map((line) => `${repository.repository}: ${line}`);
    }),
  };
}

type Decision = NonNullable<PrunedRepository['plan']>['decisions'][number];
type Removal = PrunedRepository['removals'] extends ReadonlyMap<string, infer Value> ? Value : never;

function toJson(pruned: PrunedRepository): object {
  const { repository, plan, removals, remains, swept, otherLineages, otherClusters, error } = pruned;
  const ids = (folders: NonNullable<typeof remains>['folders']): string[] => folders.map(({ place }) => place.id.text);
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
    counted: plan?.counted ?? 0,
    remains: {
      backups: ids(remains?.folders ?? []),
      uploads: remains?.uploads.map(({ key }) => key) ?? [],
      lostManifests: ids(remains?.suspicious ?? []),
    },
    swept:
      swept === undefined
        ? null
        : {
            objects: swept.objects,
            uploads: swept.uploads,
            bytes: swept.bytes,
            locked: swept.locked,
            keptVersions: swept.keptVersions,
          },
    otherLineages: [...otherLineages].map(([lineage, backups]) => ({ lineage, backups })),
    otherClusters,
  };
}

function outcomeOf(removal: Removal | undefined): object {
  if (removal === undefined) return {};
  switch (removal.kind) {
    case 'removed': {
      const { failed, locked, keptVersions } = removal.rest;
      return { outcome: 'removed', objectsLeft: failed + locked, keptVersions };
    }
    case 'locked':
      return { outcome: 'locked', lockedUntil: removal.until === undefined ? null : formatTime(removal.until) };
    case 'held':
      return { outcome: 'held', holds: removal.holds };
    case 'failed':
      return { outcome: 'failed', code: removal.error.code, message: removal.error.message };
  }
}

function toLines(pruned: PrunedRepository, dryRun: boolean, now: Date): string[] {
  const { repository, plan, removals } = pruned;
  const isRefused = plan?.verdict === 'refuse';
  const title = `repository ${repository}${plan?.lineage === undefined ? '' : `, lineage ${plan.lineage}`}`;
  const table =
    plan === undefined || plan.decisions.length === 0
      ? []
      : formatTable(plan.decisions, [
          { title: 'ID', value: ({ backup }) => backup.id },
          { title: 'AGE', align: 'right', value: ({ backup }) => formatAge(backup.time, now) },
          { title: 'STORED', align: 'right', value: ({ backup }) => formatBytes(backup.storedBytes) },
          {
            title: isRefused ? 'REFUSED' : dryRun ? 'PLAN' : 'DONE',
            value: ({ backup, action }) =>
              dryRun || isRefused
                ? `${isRefused ? 'would ' : ''}${action}`
                : describeOutcome(action, removals.get(backup.id)),
          },
          { title: 'WHY', value: ({ reasons }) => reasons.join(', ') },
        ]);
  const lines = [...describeVerdict(pruned, dryRun), ...table, ...summarizePruned(pruned, dryRun)];
  return [title, ...lines.map((line) => `  ${line}`)];
}

/** Stands above the table, because it decides how to read it. */
function describeVerdict({ plan, error }: PrunedRepository, dryRun: boolean): string[] {
  if (error !== undefined) return [error.message, `hint: ${error.hint}`];
  if (plan === undefined || plan.decisions.length === 0) return ['no backups'];
  if (plan.counted > 0 || dryRun) return [];
  return [`none of ${count(plan.decisions.length, 'backup')} counts, so nothing goes: see why below`];
}

function describeOutcome(action: Decision['action'], removal: Removal | undefined): string {
  if (action === 'keep') return 'kept';
  if (removal === undefined) return 'not removed';
  switch (removal.kind) {
    case 'locked':
      return removal.until === undefined ? 'locked' : `locked until ${formatTime(removal.until)}`;
    case 'failed':
      return `failed: ${removal.error.code}`;
    default:
      return removal.kind;
  }
}
