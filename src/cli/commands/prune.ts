import { InvalidArgumentError, Option, type Command } from 'commander';
import { pruneFacts, withPolicies } from '../../agent/retention.ts';
import { parsePercentage, percentagePattern } from '../../config/units.ts';
import { combineFailures } from '../../errors/combine-failures.ts';
import { WardenError } from '../../errors/warden-error.ts';
import { prune, type PrunableRepository, type PrunedRepository } from '../../jobs/prune.ts';
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
    .action((options: Options) => carryOut((invocation) => runPrune(invocation, options)));
}

async function runPrune(invocation: Invocation, options: Options): Promise<Outcome> {
  const config = await invocation.loadConfig();
  const parts = await invocation.open(config);
  const chosen = withPolicies(chooseRepositories(parts.repositories, options.repository), config);
  const dryRun = options.dryRun === true;
  const pruned = await prune(
    { ...parts, repositories: withLimit(chosen, options.maxRemoved), progress: invocation.output.progress },
    {
      ...pruneFacts(config),
      dryRun,
      lineage: options.lineage,
      accepted: new Set(options.accept ?? []),
    },
    invocation.signal,
  );
  const result = describePruned(pruned, dryRun, parts.clock.now());
  const error = judge(pruned) ?? refuseUnknownLineage(pruned, options.lineage);
  return error === undefined ? { result } : { result, error };
}

function withLimit(repositories: readonly PrunableRepository[], percent: number | undefined): PrunableRepository[] {
  return repositories.map((repository) =>
    percent === undefined
      ? repository
      : { ...repository, policy: { ...repository.policy, maxRemovedPercent: percent } },
  );
}

function judge(pruned: readonly PrunedRepository[]): WardenError | undefined {
  const [first, ...others] = pruned.flatMap(({ error }) => error ?? []);
  if (first === undefined) return undefined;
  const failures = [first, ...others] as const;
  if (failures.length === pruned.length) return combineFailures(failures, { summary: 'no repository was pruned' });
  return new WardenError('partly-pruned', failures.map(({ message }) => message).join('; '), {
    details: { codes: failures.map(({ code }) => code) },
    hint: first.hint,
  });
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
