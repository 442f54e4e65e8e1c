import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { quotaBytesOf } from '../../agent/defrag.ts';
import { describeThrown, WardenError } from '../../errors/warden-error.ts';
import { readNewestBackups, readStatus } from '../../jobs/status.ts';
import { describeStatus } from '../describe-status.ts';
import type { CarryOut, Invocation, Outcome } from '../invocation.ts';
import { parseDurationOption } from '../parse-duration.ts';

interface Options {
  readonly watch?: number | true;
}

const usualIntervalMs = 5000;

export function addStatusCommand(program: Command, carryOut: CarryOut): void {
  program
    .command('status')
    .description('members with role, sizes, quota, raft lag, alarms and what they do, and the newest backups')
    .option(
      '--watch [interval]',
      'the members again and again, every 5s by default; not with --json',
      parseDurationOption,
    )
    .action((options: Options) => carryOut((invocation) => runStatus(invocation, options)));
}

async function runStatus(invocation: Invocation, { watch }: Options): Promise<Outcome> {
  const { isJson, output, signal } = invocation;
  if (isJson && watch !== undefined) {
    throw new WardenError('usage', '--watch prints again and again and --json one document: give only one of them');
  }
  const config = await invocation.loadConfig();
  const parts = await invocation.open(config);
  const { maxRaftLag } = config.defrag;
  const look = () => readStatus(parts, quotaBytesOf(config.cluster), signal);
  if (watch === undefined) {
    const status = await look();
    const place = { cluster: config.cluster.name, clusterId: status.clusterId };
    const repositories = await readNewestBackups(parts.repositories, place, signal);
    return { result: describeStatus(status, { maxRaftLag, repositories }) };
  }
  // Without the repositories: a listing every few seconds costs money.
  const intervalMs = watch === true ? usualIntervalMs : watch;
  while (!signal.aborted) {
    try {
      output.result(describeStatus(await look(), { maxRaftLag }));
    } catch (error) {
      // They may be about to come back: that is what one watches for.
      if (!signal.aborted) output.result({ json: undefined, lines: [`no member list: ${describeThrown(error)}`] });
    }
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) output.result({ json: undefined, lines: [''] });
  }
  // Being told to stop is how a watch ends.
  return {};
}
