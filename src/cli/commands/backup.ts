import { InvalidArgumentError, type Command } from 'commander';
import { runBackup } from '../../agent/runs/backup.ts';
import { planBackup, type BackupPlan, type BackupResult } from '../../jobs/backup.ts';
import type { PrunedRepository } from '../../jobs/prune.ts';
import { describePrunedBriefly } from '../describe-pruned.ts';
import { describeUnchecked } from '../describe-unchecked.ts';
import { formatBytes, formatDuration, formatHash } from '../../format.ts';
import type { CarryOut, Invocation, Outcome } from '../invocation.ts';
import type { Result } from '../output.ts';
import { formatFacts, formatTable } from '../table.ts';

/** So that the manifest of a backup stays within its size. */
const maxTags = 64;

interface Options {
  readonly tag?: Readonly<Record<string, string>>;
  readonly dryRun?: boolean;
}

export function addBackupCommand(program: Command, carryOut: CarryOut): void {
  program
    .command('backup')
    .description('take, verify and store one backup in every repository')
    .option('--tag <key=value>', 'a label for the manifest; may be repeated', collectTag)
    .option('--dry-run', 'show which member would serve, and store nothing')
    .action((options: Options) => carryOut((invocation) => runBackupCommand(invocation, options)));
}

async function runBackupCommand(invocation: Invocation, options: Options): Promise<Outcome> {
  const config = await invocation.loadConfig();
  const { progress } = invocation.output;
  if (options.dryRun === true) {
    const parts = await invocation.open(config);
    const plan = await planBackup(parts, config.snapshot.prefer, invocation.signal);
    return {
      result: describePlan(
        plan,
        parts.repositories.map((repository) => `${repository.name}: ${repository.store.description}`),
      ),
    };
  }
  return invocation.measure('backup', config, async (parts) => {
    const run = await runBackup({ ...parts, progress }, config, options.tag ?? {}, invocation.signal);
    const result = describeBackup(run.result, run.pruned);
    return run.error === undefined ? { result } : { result, error: run.error };
  });
}

function describeBackup(result: BackupResult, pruned: readonly PrunedRepository[]): Result {
  const { json, lines } = describeStored(result);
  if (pruned.length === 0) return { json, lines };
  const retention = describePrunedBriefly(pruned);
  return { json: { ...json, retention: retention.json }, lines: [...lines, '', 'Retention', ...retention.lines] };
}

function describeStored(result: BackupResult): { readonly json: object; readonly lines: readonly string[] } {
  const { place, manifest, stored, failed, unchecked, skippedMembers, damagedMembers } = result;
  const { snapshot, member, timings, freshness } = manifest;
  const tookMs = Date.parse(timings.committedAt) - Date.parse(timings.startedAt);
  const checks = manifest.checks.map(({ name, result: how }) => (how === 'passed' ? name : `${name} ${how}`));
  return {
    json: {
      backup: place.id.text,
      cluster: place.cluster,
      lineage: place.lineage,
      repositories: [
        ...stored.map((name) => ({ name, result: 'stored', unchecked: unchecked.get(name) ?? [] })),
        ...[...failed].map(([name, { code, message }]) => ({ name, result: 'failed', code, message })),
      ],
      skippedMembers,
      damagedMembers,
      manifest,
    },
    lines: [
      `backup ${place.id.text} is stored in ${stored.join(', ')}`,
      '',
      ...formatFacts([
        ['member', `${member.name} (${member.role}, etcd ${member.version})`],
        [
          'revision',
          `${snapshot.revision}${freshness.checked ? `, at least ${freshness.readRevision} was asked for` : ''}`,
        ],
        ['snapshot', `${formatBytes(snapshot.sizeBytes)}, hash ${formatHash(snapshot.hash)}`],
        ['stored', `${formatBytes(manifest.stored.sizeBytes)} as ${manifest.stored.object}`],
        ['checks', checks.join(', ')],
        ...describeUnchecked(unchecked),
        ['took', `${formatDuration(tookMs)}, the stream was open for ${formatDuration(timings.streamHeldMs)}`],
        ...skippedMembers.map(({ name, reason }) => ['skipped', `${name}: ${reason}`] as const),
      ]),
    ],
  };
}

function describePlan(plan: BackupPlan, repositories: readonly string[]): Result {
  return {
    json: { ...plan, repositories },
    lines: [
      ...formatTable(plan.candidates, [
        { title: 'TRIED', value: (candidate) => String(plan.candidates.indexOf(candidate) + 1) },
        { title: 'MEMBER', value: ({ name }) => name },
        { title: 'ROLE', value: ({ role }) => role },
        { title: 'SIZE', align: 'right', value: ({ dbSizeBytes }) => formatBytes(dbSizeBytes) },
      ]),
      ...plan.skippedMembers.map(({ name, reason }) => `skipped ${name}: ${reason}`),
      '',
      ...repositories.map((repository) => `would store in ${repository}`),
    ],
  };
}

function collectTag(text: string, tags: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const [, key, value] = /^([A-Za-z0-9_./-]{1,63})=(.{0,256})$/.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new InvalidArgumentError(
      'expected key=value; keys are 1 to 63 of A-Z a-z 0-9 _ . / -, values at most 256 characters',
    );
  }
  if (Object.keys(tags ?? {}).length >= maxTags) throw new InvalidArgumentError(`at most ${maxTags} tags can be given`);
  return { ...tags, [key]: value };
}
