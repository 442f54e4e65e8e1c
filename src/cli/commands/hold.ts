import { InvalidArgumentError, type Command } from 'commander';
import { holdBackup, type HeldBackup, type HeldCopy } from '../../jobs/hold.ts';
import { holdReasonRule, isHoldReason } from '../../manifest/hold.ts';
import { chooseRepositories } from '../choose-repositories.ts';
import { formatTime } from '../../format.ts';
import type { CarryOut, Invocation, Outcome } from '../invocation.ts';
import { judgeCopies } from '../judge-copies.ts';
import type { Result } from '../output.ts';
import { parseHoldName } from '../parse-hold-name.ts';
import { formatFacts } from '../table.ts';

interface Options {
  readonly reason: string;
  readonly name: string;
  readonly repository?: string;
}

export function addHoldCommand(program: Command, carryOut: CarryOut): void {
  program
    .command('hold')
    .description('exempt a backup from retention, with a reason')
    .argument('<id>', 'a backup id, an unambiguous prefix of one, latest or latest-verified')
    .requiredOption('--reason <text>', 'why, for whoever looks later', parseHoldReason)
    .option('--name <name>', 'of the hold; a backup may have several', parseHoldName, 'manual')
    .option('--repository <name>', 'only in this repository')
    .action((id: string, options: Options) => carryOut((invocation) => runHold(invocation, id, options)));
}

function parseHoldReason(text: string): string {
  if (!isHoldReason(text)) throw new InvalidArgumentError(`expected ${holdReasonRule}`);
  return text;
}

async function runHold(invocation: Invocation, reference: string, options: Options): Promise<Outcome> {
  const { name, reason } = options;
  const config = await invocation.loadConfig();
  const parts = await invocation.open(config);
  const repositories = chooseRepositories(parts.repositories, options.repository);
  const request = { reference, name, reason };
  const held = await holdBackup({ ...parts, repositories }, config.cluster.name, request, invocation.signal);
  const result = describeHeld(held, name);
  const error = judgeCopies(
    held.copies.map((copy) => ({
      repository: copy.repository,
      done: copy.kind === 'held' || copy.kind === 'held-already',
      error: copy.kind === 'failed' ? copy.error : undefined,
    })),
  );
  return error === undefined ? { result } : { result, error };
}

function describeHeld({ backup, copies }: HeldBackup, hold: string): Result {
  return {
    json: {
      backup,
      hold,
      repositories: copies.map((copy) => ({ name: copy.repository, result: copy.kind, ...factsOf(copy) })),
    },
    lines: [
      `backup ${backup}, hold ${hold}`,
      ...formatFacts(copies.map((copy) => [`  ${copy.repository}`, describeCopy(copy)] as const)),
    ],
  };
}

function factsOf(copy: HeldCopy): object {
  if (copy.kind === 'failed') return { code: copy.error.code, message: copy.error.message };
  if (copy.kind !== 'held-already') return {};
  return { reason: copy.hold?.reason ?? null, at: copy.hold === undefined ? null : formatTime(copy.hold.at) };
}

function describeCopy(copy: HeldCopy): string {
  switch (copy.kind) {
    case 'held':
      return 'held';
    case 'held-already':
      return copy.hold === undefined
        ? 'held already, for a reason that cannot be read'
        : `held already, since ${formatTime(copy.hold.at)}: ${copy.hold.reason}`;
    case 'absent':
      return 'does not have this backup';
    case 'failed':
      return `failed: ${copy.error.message}`;
  }
}
