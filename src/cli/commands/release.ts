import type { Command } from 'commander';
import { releaseBackup, type ReleasedBackup, type ReleasedCopy } from '../../jobs/release.ts';
import { chooseRepositories } from '../choose-repositories.ts';
import type { CarryOut, Invocation, Outcome } from '../invocation.ts';
import { judgeCopies } from '../judge-copies.ts';
import type { Result } from '../output.ts';
import { parseHoldName } from '../parse-hold-name.ts';
import { formatFacts } from '../table.ts';

interface Options {
  readonly name?: string;
  readonly repository?: string;
}

export function addReleaseCommand(program: Command, carryOut: CarryOut): void {
  program
    .command('release')
    .description('remove a hold, so that retention decides about the backup again')
    .argument('<id>', 'a backup id, an unambiguous prefix of one, latest or latest-verified')
    .option('--name <name>', 'which hold; may be left out where there is only one', parseHoldName)
    .option('--repository <name>', 'only in this repository')
    .action((id: string, options: Options) => carryOut((invocation) => runRelease(invocation, id, options)));
}

async function runRelease(invocation: Invocation, reference: string, options: Options): Promise<Outcome> {
  const config = await invocation.loadConfig();
  const { repositories, log } = await invocation.open(config);
  const chosen = chooseRepositories(repositories, options.repository);
  const request = { reference, name: options.name };
  const parts = { repositories: chosen, log };
  const released = await releaseBackup(parts, config.cluster.name, request, invocation.signal);
  const result = describeReleased(released);
  const error = judgeCopies(
    released.copies.map((copy) => ({
      repository: copy.repository,
      done: copy.kind === 'released',
      error: copy.kind === 'failed' ? copy.error : undefined,
    })),
  );
  return error === undefined ? { result } : { result, error };
}

function describeReleased({ backup, hold, copies }: ReleasedBackup): Result {
  const isFree = copies.some((copy) => copy.kind === 'released' && copy.otherHolds.length === 0);
  return {
    json: {
      backup,
      hold,
      repositories: copies.map((copy) => ({ name: copy.repository, result: copy.kind, ...factsOf(copy) })),
    },
    lines: [
      `backup ${backup}, hold ${hold}`,
      ...formatFacts(copies.map((copy) => [`  ${copy.repository}`, describeCopy(copy)] as const)),
      ...(isFree ? ['retention may remove this backup at the next prune'] : []),
    ],
  };
}

function factsOf(copy: ReleasedCopy): object {
  if (copy.kind === 'failed') return { code: copy.error.code, message: copy.error.message };
  return copy.kind === 'released' ? { otherHolds: copy.otherHolds } : {};
}

function describeCopy(copy: ReleasedCopy): string {
  switch (copy.kind) {
    case 'released':
      return copy.otherHolds.length === 0 ? 'released' : `released, still held by ${copy.otherHolds.join(', ')}`;
    case 'not-held':
      return 'was not held by it';
    case 'absent':
      return 'does not have this backup';
    case 'failed':
      return `failed: ${copy.error.message}`;
  }
}
