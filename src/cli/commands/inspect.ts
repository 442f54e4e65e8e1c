import type { Command } from 'commander';
import type { Inspection } from '../../inspect/inspection.ts';
import { inspectFile, type InspectedFile } from '../../jobs/inspect.ts';
import { describeCompaction, formatBytes, formatHash } from '../../format.ts';
import type { CarryOut, Invocation, Outcome } from '../invocation.ts';
import type { Result } from '../output.ts';
import { formatFacts, formatTable } from '../table.ts';

export function addInspectCommand(program: Command, carryOut: CarryOut): void {
  program
    .command('inspect')
    .description(
      'facts of a snapshot file or a stored object; needs no cluster, and a configuration only for sealed ones',
    )
    .argument('<file>', 'a snapshot as etcdctl saves it, or a snapshot object of a repository')
    .action((file: string) => carryOut((invocation) => runInspect(invocation, file)));
}

async function runInspect(invocation: Invocation, file: string): Promise<Outcome> {
  const identities = (await invocation.openIfConfigured())?.identities ?? [];
  const { output, signal, files } = invocation;
  const inspected = await inspectFile(files, file, identities, output.progress, signal);
  const result = describeInspected(inspected);
  return inspected.problem === undefined ? { result } : { result, error: inspected.problem };
}

function describeInspected({ path, format, inspection }: InspectedFile): Result {
  const { damage, encryptionProviders, largestPrefixes } = inspection;
  return {
    json: { path, format, ...inspection, ...(isUnknown(inspection) ? unknownFacts : {}) },
    lines: [
      ...formatFacts([
        ['file', path],
        ['format', format],
        ['verdict', describeVerdict(inspection)],
        ...describeFacts(inspection),
      ]),
      ...damage.map(({ code, where, message }) => `damage  ${code}: ${where === '' ? '' : `${where}: `}${message}`),
      ...encryptionProviders.map(
        ({ provider, keyName, keys }) => `encrypted by Kubernetes  ${provider} ${keyName}: ${keys ?? 'some'} keys`,
      ),
      ...(largestPrefixes.length === 0 ? [] : ['', ...tableOfPrefixes(largestPrefixes)]),
    ],
  };
}

/** Where the tree could not be read to its end, zeros would read as if the data were gone. */
function isUnknown({ hash }: Inspection): boolean {
  return hash === undefined;
}

const unknownFacts = {
  hash: null,
  revision: null,
  newestEntryRevision: null,
  compactRevision: null,
  totalEntries: null,
  liveKeys: null,
  storageVersion: null,
};

function describeVerdict({ verdict, damage, damageCount }: Inspection): string {
  const onlyTrailer = damageCount === 1 && damage[0]?.code === 'trailer-missing';
  if (!onlyTrailer) return verdict;
  return 'sound, but without a trailer: a raw copy of a database, which `etcdutl snapshot restore --skip-hash-check` takes';
}

function describeFacts(inspection: Inspection): (readonly [string, string])[] {
  const { kvHash, hash, pageSizeBytes } = inspection;
  const pages = pageSizeBytes === undefined ? '' : `, pages of ${formatBytes(pageSizeBytes)}`;
  const file = [
    ['size', `${formatBytes(inspection.sizeBytes)}${pages}`],
    ['trailer', inspection.trailer],
    ['SHA-256', inspection.sha256],
  ] as const;
  if (hash === undefined)
    return [...file, ['contents', 'unknown, because the tree of pages could not be read to its end']];
  const kvHashText =
    kvHash === undefined
      ? (inspection.kvHashSkipped ?? 'unknown')
      : `${formatHash(kvHash.hash)} at revision ${kvHash.revision}`;
  return [
    ...file,
    ['hash', formatHash(hash)],
    ['HashKV', kvHashText],
    ['revision', `${inspection.revision}, ${describeCompaction(inspection.compactRevision.toString())}`],
    ['keys', `${inspection.liveKeys ?? 'unknown number'} live, ${inspection.totalEntries} entries in all`],
    ['storage version', inspection.storageVersion ?? 'before 3.6'],
  ];
}

function tableOfPrefixes(prefixes: Inspection['largestPrefixes']): string[] {
  return formatTable(prefixes.slice(0, 10), [
    { title: 'LARGEST PREFIXES', value: ({ prefix }) => prefix },
    { title: 'ENTRIES', align: 'right', value: ({ entries }) => String(entries) },
    { title: 'BYTES', align: 'right', value: ({ bytes }) => formatBytes(bytes) },
  ]);
}
