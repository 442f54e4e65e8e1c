import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Parts } from '../../agent/compose.ts';
import { withPolicies } from '../../agent/retention.ts';
import { runPrune } from '../../agent/runs/prune.ts';
import type { Config } from '../../config/schema.ts';
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
  const work = (parts: Parts): Promise<Outcome> => carryOutPrune(parts, config, invocation, options);
  return options.dryRun === true ? work(await invocation.open(config)) : invocation.measure('prune', config, work);
}

async function carryOutPrune(
  parts: Parts,
  config: Config,
  { output, signal }: Invocation,
  { dryRun = false, repository, maxRemoved, lineage, accept = [] }: Options,
): Promise<Outcome> {
  const chosen = withPolicies(chooseRepositories(parts.repositories, repository), config);
  const prunable = { ...parts, repositories: withLimit(chosen, maxRemoved), progress: output.progress };
  const run = await runPrune(prunable, config, { dryRun, lineage, accepted: new Set(accept) }, signal);
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
