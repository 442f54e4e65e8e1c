import type { Command } from 'commander';
import { defragFacts, defragParts } from '../../agent/defrag.ts';
import { runDefrag } from '../../agent/runs/defrag.ts';
import { defragRefused } from '../../defrag/refusal-error.ts';
import { planDefragmentation } from '../../jobs/defrag.ts';
import { describeDefragPlan, describeDefragRun } from '../describe-defrag.ts';
import type { CarryOut, Invocation, Outcome } from '../invocation.ts';

interface Options {
  readonly dryRun?: boolean;
  readonly member?: string;
  readonly forceRule?: boolean;
  readonly acceptUnsafeVersion?: boolean;
}

export function addDefragCommand(program: Command, carryOut: CarryOut): void {
  program
    .command('defrag')
    .description('defragment the members that are due, one at a time, the leader last')
    .option('--dry-run', 'show the plan and change nothing')
    .option('--member <name>', 'only this member, by name or id')
    .option('--force-rule', 'also members that no rule is due for; never against what is safe')
    .option('--accept-unsafe-version', 'also releases of etcd in which a defragmentation can corrupt data')
    .action((options: Options) => carryOut((invocation) => runDefragCommand(invocation, options)));
}

async function runDefragCommand(invocation: Invocation, options: Options): Promise<Outcome> {
  const config = await invocation.loadConfig();
  const { progress } = invocation.output;
  const { member, forceRule = false, acceptUnsafeVersion = false } = options;
  const request = { only: member, forceRule, acceptUnsafeVersion };
  if (options.dryRun === true) {
    const planned = { ...defragParts(await invocation.open(config), config), progress };
    const plan = await planDefragmentation(planned, { ...defragFacts(config), request }, invocation.signal);
    const result = describeDefragPlan(plan);
    return plan.verdict === 'refuse' ? { result, error: defragRefused(plan) } : { result };
  }
  return invocation.measure('defrag', config, async (parts) => {
    const { run, error } = await runDefrag({ ...parts, progress }, config, request, invocation.signal);
    return error === undefined ? { result: describeDefragRun(run) } : { result: describeDefragRun(run), error };
  });
}
