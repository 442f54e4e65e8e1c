import { InvalidArgumentError, Option, type Command } from 'commander';
import { withPolicies } from '../../agent/retention.ts';
import { runPrune } from '../../agent/runs/prune.ts';
import { parsePercentage, percentagePattern } from '../../config/units.ts';
import { WardenError } from '../../errors/warden-error.ts';
import type { PrunableRepository, PrunedRepository } from '../../jobs/prune.ts';
import type { Acceptance } from '../../retention/plan.ts';
import { chooseRepositories } from '../choose-repositories.ts';
import { describePruned } from '../describe-pruned.ts';
import type { CarryOut, Invocation, Outcome } from '../invocation.ts';
import { parseLineage } from '../parse-lineage.ts';

const acceptances: readonly Acceptance[] = [
  'unexplained-backups',
  'no-recent-backup',
  'revision-went-back',
  'lost-manifests',
];

interface Options {
  readonly dryRun?: boolean;
  readonly lineage?: string;
  readonly repository?: string;
  readonly maxRemoved?: number;
  readonly accept?: readonly Acceptance[];
}

export function addPruneCommand(program: Command, carryOut: CarryOut): void {
  program
    .command('prune')
    .description('carry out retention: remove the backups that no rule keeps, and what dead runs left')
    .option('--dry-run', 'show the plan and remove nothing')
    .option('--lineage <id>', 'prune backups of this etcd cluster id (default: that of the newest)', parseLineage)
    .option('--repository <name>', 'only this repository')
    .option('--max-removed <percent>', 'instead of retention.maxRemovedPercent, this once', parsePercent)
    .addOption(
      new Option('--accept <reason...>', 'go on although this was found; look at it first').choices(acceptances),
    )
    .action((options: Options) => carryOut((invocation) => runPruneCommand(invocation, options)));
}

async function runPruneCommand(invocation: Invocation, options: Options): Promise<Outcome> {
  const config = await invocation.loadConfig();
  const parts = await invocation.open(config);
  const chosen = withPolicies(chooseRepositories(parts.repositories, options.repository), config);
  const dryRun = options.dryRun === true;
  const repositories = withLimit(chosen, options.maxRemoved);
  const { progress } = invocation.output;
  const { lineage, accept = [] } = options;
  const request = { dryRun, lineage, accepted: new Set(accept) };
  const run = await runPrune({ ...parts, repositories, progress }, config, request, invocation.signal);
  const result = describePruned(run.pruned, dryRun, parts.clock.now());
  const error = run.error ?? refuseUnknownLineage(run.pruned, lineage);
  return error === undefined ? { result } : { result, error };
}

function withLimit(repositories: readonly PrunableRepository[], percent: number | undefined): PrunableRepository[] {
  return repositories.map((repository) =>
    percent === undefined
      ? repository
      : { ...repository, policy: { ...repository.policy, maxRemovedPercent: percent } },
  );
}

/** A lineage that nobody has is a slip, not an empty series. */
function refuseUnknownLineage(
  pruned: readonly PrunedRepository[],
  lineage: string | undefined,
): WardenError | undefined {
  if (lineage === undefined || pruned.some(({ plan }) => (plan?.decisions.length ?? 0) > 0)) return undefined;
  return new WardenError('backup-not-found', `no repository holds a backup of lineage ${lineage}`);
}

function parsePercent(text: string): number {
  const percentage = percentagePattern.test(text) ? parsePercentage(text) : undefined;
  if (percentage === undefined) throw new InvalidArgumentError('expected a percentage from 0% to 100%');
  return percentage.fraction * 100;
}
