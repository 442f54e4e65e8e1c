import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, type Command } from 'commander';
import { quotaBytesOf } from '../../agent/defrag.ts';
import { parseDuration } from '../../config/units.ts';
import { readStatus } from '../../jobs/status.ts';
import { describeStatus } from '../describe-status.ts';
import type { CarryOut, Invocation, Outcome } from '../invocation.ts';

interface Options {
  readonly watch?: number | true;
}

const usualIntervalMs = 5000;

export function addStatusCommand(program: Command, carryOut: CarryOut): void {
  program
    .command('status')
    .description('members with role, sizes, quota, raft lag, alarms and what they are doing')
    .option('--watch [interval]', 'again and again, every 5s unless told otherwise', parseInterval)
    .action((options: Options) => carryOut((invocation) => runStatus(invocation, options)));
}

async function runStatus(invocation: Invocation, { watch }: Options): Promise<Outcome> {
  const config = await invocation.loadConfig();
  const parts = await invocation.open(config);
  const look = async () => describeStatus(await readStatus(parts, quotaBytesOf(config.cluster), invocation.signal));
  if (watch === undefined) return { result: await look() };
  const intervalMs = watch === true ? usualIntervalMs : watch;
  for (;;) {
    invocation.output.result(await look());
    await sleep(intervalMs, undefined, { signal: invocation.signal });
  }
}

function parseInterval(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined || duration.ms < 1000)
    throw new InvalidArgumentError('expected a duration of at least 1s');
  return duration.ms;
}
