import type { Command } from 'commander';
import { WardenError } from '../../errors/warden-error.ts';
import { restoreLocalFile, restoreToFile, type RestoredSnapshot } from '../../jobs/restore.ts';
import { formatBytes } from '../../format.ts';
import type { CarryOut, Invocation, Outcome } from '../invocation.ts';
import type { Result } from '../output.ts';
import { chooseRepositories } from '../choose-repositories.ts';
import { looksLikePath } from '../looks-like-path.ts';
import { formatFacts } from '../table.ts';

interface Options {
  readonly to: string;
  readonly repository?: string;
}

export function addRestoreCommand(program: Command, carryOut: CarryOut): void {
  program
    .command('restore')
    .description('write the snapshot file of a backup, proved to the last byte')
    .argument('<id>', 'a backup id, an unambiguous prefix, latest, latest-verified, or the path of a local file')
    .requiredOption('--to <file>', 'the file to write; it must not exist')
    .option('--repository <name>', 'only this repository')
    .action((id: string, options: Options) => carryOut((invocation) => runRestore(invocation, id, options)));
}

async function runRestore(invocation: Invocation, id: string, options: Options): Promise<Outcome> {
  const { signal, output, files } = invocation;
  if (options.to === '-')
    throw new WardenError('usage', '--to must be a file, got "-": a snapshot is proved before any of it is seen');
  const { progress } = output;
  if (looksLikePath(id)) {
    const identities = (await invocation.openIfConfigured())?.identities ?? [];
    return {
      result: describeRestored(await restoreLocalFile({ identities, files, progress }, id, options.to, signal)),
    };
  }
  const config = await invocation.loadConfig();
  const parts = { ...(await invocation.open(config)), progress };
  const repositories = chooseRepositories(parts.repositories, options.repository);
  const restored = await restoreToFile({ ...parts, repositories }, config.cluster.name, id, options.to, signal);
  return { result: describeRestored(restored) };
}

function describeRestored({ path, sizeBytes, sha256, revision, source }: RestoredSnapshot): Result {
  const backup = source?.manifest.id ?? null;
  return {
    json: { path, sizeBytes, sha256, revision, backup, repository: source?.repository ?? null },
    lines: [
      `the snapshot is in ${path}, proved to the last byte`,
      '',
      ...formatFacts([
        ...(source === undefined ? [] : [['backup', `${source.manifest.id} from ${source.repository}`] as const]),
        ['revision', revision.toString()],
        ['size', formatBytes(sizeBytes)],
        ['SHA-256', sha256],
      ]),
      '',
      `next: etcdutl snapshot restore ${path} --data-dir DIR --name NAME --initial-cluster NAME=PEER_URL --initial-advertise-peer-urls PEER_URL --initial-cluster-token NEW_TOKEN`,
    ],
  };
}
