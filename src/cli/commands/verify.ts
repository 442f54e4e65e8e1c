import { InvalidArgumentError, type Command } from 'commander';
import { WardenError } from '../../errors/warden-error.ts';
import { runVerify } from '../../agent/runs/verify.ts';
import type { VerifyResult } from '../../jobs/verify.ts';
import type { Selection } from '../../repository/select-backups.ts';
import { formatBytes } from '../../format.ts';
import type { CarryOut, Invocation, Outcome } from '../invocation.ts';
import type { Result } from '../output.ts';
import { chooseRepositories } from '../choose-repositories.ts';
import { formatTable } from '../table.ts';

interface Part {
  readonly part: number;
  readonly of: number;
}

interface Options {
  readonly all?: boolean;
  readonly subset?: Part;
  readonly rotation?: Part;
  readonly repository?: string;
}

export function addVerifyCommand(program: Command, carryOut: CarryOut): void {
  program
    .command('verify')
    .description('read backups back to the last byte and prove them whole')
    .argument('[id...]', 'backup ids, unambiguous prefixes, latest or latest-verified (default: latest)')
    .option('--all', 'every backup')
    .option('--subset <n/t>', 'the n-th of t parts of all backups', parsePart)
    .option('--rotation <n/t>', 'the newest, and n/t of all, longest unproved first: in time all of them', parsePart)
    .option('--repository <name>', 'only this repository')
    .action((ids: string[], options: Options) => carryOut((invocation) => runVerifyCommand(invocation, ids, options)));
}

async function runVerifyCommand(invocation: Invocation, ids: readonly string[], options: Options): Promise<Outcome> {
  const selection = select(ids, options);
  const config = await invocation.loadConfig();
  const { output, signal } = invocation;
  return invocation.measure('verify', config, async (parts) => {
    const repositories = chooseRepositories(parts.repositories, options.repository);
    const chosen = { ...parts, repositories, progress: output.progress };
    const { result, error } = await runVerify(chosen, config, selection, signal);
    const described = describeVerified(result);
    return error === undefined ? { result: described } : { result: described, error };
  });
}

function select(ids: readonly string[], { all, subset, rotation }: Options): Selection {
  if ([ids.length > 0, all, subset, rotation].filter(Boolean).length > 1) {
    throw new WardenError('usage', 'give backup ids, --all, --subset or --rotation, and only one of them');
  }
  if (all === true) return { kind: 'all' };
  if (subset !== undefined) return { kind: 'subset', ...subset };
  if (rotation !== undefined) return { kind: 'rotation', ...rotation };
  return { kind: 'references', references: ids.length === 0 ? ['latest'] : ids };
}

function describeVerified({ backups, failed }: VerifyResult): Result {
  return {
    json: {
      backups: backups.map(({ repository, place, snapshotBytes, error, recorded }) => ({
        repository,
        id: place.id.text,
        lineage: place.lineage,
        result: error === undefined ? 'verified' : 'failed',
        snapshotBytes: snapshotBytes ?? null,
        recorded,
        ...(error === undefined ? {} : { code: error.code, message: error.message }),
      })),
      failedRepositories: [...failed].map(([name, { code, message }]) => ({ name, code, message })),
    },
    lines:
      backups.length === 0
        ? ['nothing to verify']
        : formatTable(backups, [
            { title: 'REPOSITORY', value: ({ repository }) => repository },
            { title: 'ID', value: ({ place }) => place.id.text },
            { title: 'RESULT', value: ({ error }) => (error === undefined ? 'verified' : error.code) },
            {
              title: 'SNAPSHOT',
              align: 'right',
              value: ({ snapshotBytes }) => (snapshotBytes === undefined ? '-' : formatBytes(snapshotBytes)),
            },
            { title: 'RECORDED', value: ({ recorded }) => (recorded ? 'yes' : 'no') },
          ]),
  };
}

function parsePart(text: string): Part {
  const [, part, of] = /^([1-9]\d{0,3})\/([1-9]\d{0,3})$/.exec(text) ?? [];
  if (part === undefined || of === undefined || Number(part) > Number(of)) {
    throw new InvalidArgumentError('expected n/t with 1 ≤ n ≤ t, such as 1/14');
  }
  return { part: Number(part), of: Number(of) };
}
