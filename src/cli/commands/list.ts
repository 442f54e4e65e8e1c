import type { Command } from 'commander';
import { WardenError } from '../../errors/warden-error.ts';
import { listBackups, type ListedRepository } from '../../jobs/list.ts';
import type { Catalogue, CatalogueEntry } from '../../repository/catalogue.ts';
import { formatAge, formatBytes, formatTime } from '../../format.ts';
import type { CarryOut, Invocation, Outcome } from '../invocation.ts';
import type { Result } from '../output.ts';
import { chooseRepositories } from '../choose-repositories.ts';
import { describeState } from '../describe-state.ts';
import { parseLineage } from '../parse-lineage.ts';
import { formatTable } from '../table.ts';

interface Options {
  readonly repository?: string;
  readonly lineage?: string;
  readonly all?: boolean;
  readonly check?: boolean;
}

export function addListCommand(program: Command, carryOut: CarryOut): void {
  program
    .command('list')
    .description('backups, newest first, per repository')
    .option('--repository <name>', 'only this repository')
    .option('--lineage <id>', 'only backups of this etcd cluster id (hexadecimal)', parseLineage)
    .option('--all', 'also incomplete ones, and the names of other clusters that have backups there')
    .option('--check', 'compare stored sizes with the manifests; damaged or missing → exit 3')
    .action((options: Options) => carryOut((invocation) => runList(invocation, options)));
}

async function runList(invocation: Invocation, options: Options): Promise<Outcome> {
  const config = await invocation.loadConfig();
  const { repositories, clock } = await invocation.open(config);
  const chosen = chooseRepositories(repositories, options.repository);
  const { lineage, all = false, check = false } = options;
  const selection = { cluster: config.cluster.name, lineage, check, otherClusters: all };
  const listed = await listBackups(chosen, selection, invocation.signal);
  const result = describeList(listed, all, clock.now());
  const error = judge(listed);
  return error === undefined ? { result } : { result, error };
}

/** What was listed as tables and as JSON; without `all`, incomplete backups are left out. */
export function describeList(listed: readonly ListedRepository[], all: boolean, now: Date): Result {
  const shown = listed.map((repository) => ({
    ...repository,
    entries: (repository.catalogue?.entries ?? []).filter((entry) => all || entry.state !== 'incomplete'),
  }));
  return {
    json: {
      repositories: shown.map(({ repository, entries, catalogue, otherClusters, findings, error }) => ({
        name: repository,
        ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
        foreignObjects: catalogue?.foreignObjects ?? 0,
        otherClusters,
        backups: entries.map((entry) => describeEntry(entry, findings)),
      })),
    },
    lines: shown.flatMap(({ repository, catalogue, otherClusters, entries, findings, error }) => [
      `repository ${repository}${error === undefined ? '' : `: ${error.message}`}`,
      ...(catalogue === undefined ? [] : describeCatalogue(catalogue, otherClusters)),
      ...(entries.length === 0 ? [] : tableOf(entries, findings, now)),
      '',
    ]),
  };
}

function describeCatalogue({ entries, foreignObjects }: Catalogue, otherClusters: readonly string[]): string[] {
  const lines: string[] = [];
  if (!entries.some(({ state }) => state !== 'incomplete')) lines.push('  no backups');
  if (otherClusters.length > 0) {
    lines.push(`  backups of ${otherClusters.join(', ')} there are unmanaged: they belong to another cluster.name`);
  }
  if (foreignObjects > 0) lines.push(`  ${foreignObjects} objects there are not ours; they are never touched`);
  return lines;
}

function tableOf(entries: readonly CatalogueEntry[], findings: ReadonlyMap<string, string>, now: Date): string[] {
  const several = new Set(entries.map((entry) => entry.place.lineage)).size > 1;
  const lines = formatTable(entries, [
    { title: 'ID', value: ({ place }) => place.id.text },
    { title: 'AGE', align: 'right', value: ({ place }) => formatAge(place.id.time, now) },
    {
      title: 'STORED',
      align: 'right',
      value: ({ snapshot }) => (snapshot === undefined ? '-' : formatBytes(snapshot.sizeBytes)),
    },
    { title: 'STATE', value: (entry) => describeState({ ...entry, state: stateOf(entry, findings) }, now).join(', ') },
    { title: 'READ BACK', value: ({ verifiedAt }) => (verifiedAt === undefined ? '-' : formatTime(verifiedAt)) },
    ...(entries.some(({ storageClass }) => storageClass !== undefined)
      ? [{ title: 'CLASS', value: ({ storageClass }: CatalogueEntry) => storageClass ?? '-' }]
      : []),
    ...(several ? [{ title: 'LINEAGE', value: ({ place }: CatalogueEntry) => place.lineage }] : []),
  ]);
  return [...lines, ...[...findings].map(([id, finding]) => `${id}: ${finding}`)].map((line) => `  ${line}`);
}

function describeEntry(entry: CatalogueEntry, findings: ReadonlyMap<string, string>): object {
  const { place, snapshot, verifiedAt, drilledAt, damagedAt, holds, lockedUntil, storageClass } = entry;
  const time = (at: Date | undefined): string | null => (at === undefined ? null : formatTime(at));
  return {
    id: place.id.text,
    lineage: place.lineage,
    time: formatTime(place.id.time),
    state: stateOf(entry, findings),
    storedBytes: snapshot?.sizeBytes ?? null,
    storageClass: storageClass ?? null,
    verifiedAt: time(verifiedAt),
    drilledAt: time(drilledAt),
    damagedAt: time(damagedAt),
    holds,
    lockedUntil: time(lockedUntil),
    finding: findings.get(place.id.text) ?? null,
  };
}

function stateOf(entry: CatalogueEntry, findings: ReadonlyMap<string, string>): CatalogueEntry['state'] {
  return findings.has(entry.place.id.text) ? 'damaged' : entry.state;
}

/** Damage found by `--check` comes before a repository that could not be read: it is the worse news. */
function judge(listed: readonly ListedRepository[]): WardenError | undefined {
  const damaged = listed.flatMap(({ repository, findings }) =>
    [...findings].map(([id, finding]) => `${repository}: ${id}: ${finding}`),
  );
  if (damaged.length > 0) return new WardenError('object-damaged', damaged.join('\n'), { details: { damaged } });
  const failed = listed.flatMap(({ repository, error }) => (error === undefined ? [] : [{ repository, error }]));
  const [first] = failed;
  if (first === undefined) return undefined;
  if (failed.length === listed.length) return first.error;
  const reasons = failed.map(({ repository, error }) => `${repository} failed: ${error.message}`);
  return new WardenError('repositories-failed', reasons.join('; '), {
    details: { failed: failed.map(({ repository }) => repository), codes: failed.map(({ error }) => error.code) },
    hint: first.error.hint,
  });
}
