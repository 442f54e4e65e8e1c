import type { Command } from 'commander';
import type { Hold } from '../../manifest/hold.ts';
import { showBackup, type ShownBackup } from '../../jobs/show.ts';
import { describeCompaction, formatBytes, formatHash, formatTime } from '../../format.ts';
import type { CarryOut, Invocation, Outcome } from '../invocation.ts';
import type { Result } from '../output.ts';
import { chooseRepositories } from '../choose-repositories.ts';
import { describeState, isLocked } from '../describe-state.ts';
import { formatFacts } from '../table.ts';

interface Options {
  readonly repository?: string;
}

export function addShowCommand(program: Command, carryOut: CarryOut): void {
  program
    .command('show')
    .description('one backup: facts, checks, holds, how to restore it')
    .argument('<id>', 'a backup id, an unambiguous prefix of one, latest or latest-verified')
    .option('--repository <name>', 'only this repository')
    .action((id: string, options: Options) => carryOut((invocation) => runShow(invocation, id, options)));
}

async function runShow(invocation: Invocation, id: string, options: Options): Promise<Outcome> {
  const config = await invocation.loadConfig();
  const { repositories, clock } = await invocation.open(config);
  const chosen = chooseRepositories(repositories, options.repository);
  const shown = await showBackup(chosen, config.cluster.name, id, invocation.signal);
  return { result: describeShown(shown, clock.now()) };
}

function describeShown({ repository, entry, manifest, holds, lock, damage }: ShownBackup, now: Date): Result {
  const { verifiedAt, drilledAt, damagedAt } = entry;
  const { lockedUntil, hasLegalHold = false, storageClass } = lock;
  const time = (at: Date | undefined): string | null => (at === undefined ? null : formatTime(at));
  const evidence = { verifiedAt: time(verifiedAt), drilledAt: time(drilledAt), damagedAt: time(damagedAt) };
  return {
    json: {
      repository,
      state: entry.state,
      holds: holds.map(({ name, hold }) => ({ name, reason: hold?.reason ?? null, at: time(hold?.at) })),
      lockedUntil: time(lockedUntil),
      hasLegalHold,
      storageClass: storageClass ?? null,
      ...evidence,
      damage: damage ?? null,
      manifest,
    },
    lines: [
      ...formatFacts([
        ['backup', manifest.id],
        ['repository', repository],
        ['state', describeState({ state: entry.state, holds: entry.holds, ...lock }, now).join(', ')],
        ...holds.map(({ name, hold }) => ['held', describeHold(name, hold)] as const),
        ...(isLocked(lock, now) ? [['locked', describeLock(lock)] as const] : []),
        ...(storageClass === undefined ? [] : [['class', storageClass] as const]),
        ['cluster', `${manifest.cluster.name}, lineage ${manifest.cluster.lineage}`],
        ...describeOrigin(manifest),
        ...describeContent(manifest),
        [
          'read back',
          evidence.verifiedAt ?? (damagedAt === undefined ? 'never; run etcd-warden verify' : 'found damaged'),
        ],
        ...(evidence.damagedAt === null
          ? []
          : [['damaged', [evidence.damagedAt, damage].filter(Boolean).join(', ')] as const]),
        ...Object.entries(manifest.tags).map(([key, value]) => [`tag ${key}`, value] as const),
      ]),
      '',
      'Checks',
      ...formatFacts(manifest.checks.map(({ name, result, detail }) => [`  ${name}`, `${result}: ${detail}`] as const)),
      '',
      'Restore',
      ...manifest.restore.map((command) => `  ${command}`),
      ...neededKeys(manifest),
    ],
  };
}

function describeHold(name: string, hold: Hold | undefined): string {
  return hold === undefined
    ? `${name}, for a reason that cannot be read`
    : `${name}, since ${formatTime(hold.at)}: ${hold.reason}`;
}

function describeLock({ lockedUntil, hasLegalHold = false }: ShownBackup['lock']): string {
  const until = lockedUntil === undefined ? [] : [`until ${formatTime(lockedUntil)}`];
  return [...until, ...(hasLegalHold ? ['by a legal hold in the store'] : [])].join(', ');
}

type Manifest = ShownBackup['manifest'];
type Fact = readonly [string, string];

function describeOrigin({ member, timings, tool, freshness }: Manifest): Fact[] {
  return [
    ['taken', `${timings.startedAt}, stored ${timings.committedAt}, by etcd-warden ${tool.version}`],
    ['member', `${member.name} (${member.role}, etcd ${member.version}, id ${member.id})`],
    [
      'freshness',
      freshness.checked ? `contains everything up to revision ${freshness.readRevision}` : freshness.reason,
    ],
  ];
}

function describeContent({ snapshot, stored, compression, encryption }: Manifest): Fact[] {
  const recipients = encryption === 'none' ? [] : encryption.recipients.map(({ kind, name }) => `${kind} ${name}`);
  return [
    ['revision', `${snapshot.revision}, ${describeCompaction(snapshot.compactRevision)}`],
    ['keys', `${snapshot.liveKeys ?? 'unknown number'} live, ${snapshot.totalEntries} entries in all`],
    [
      'hash',
      `${formatHash(snapshot.hash)}${snapshot.kvHash === null ? '' : `, HashKV ${formatHash(snapshot.kvHash.hash)}`}`,
    ],
    ['snapshot', `${formatBytes(snapshot.sizeBytes)}, SHA-256 ${snapshot.sha256}`],
    ['stored', `${formatBytes(stored.sizeBytes)} as ${stored.object}, SHA-256 ${stored.sha256}`],
    ['compression', compression.algorithm === 'none' ? 'none' : `${compression.algorithm} level ${compression.level}`],
    ['opened by', recipients.length === 0 ? 'anybody: it is not encrypted' : recipients.join(', ')],
  ];
}

/** Values that Kubernetes encrypted need its keys as well: a restore without them is worth little. */
function neededKeys({ snapshot }: Manifest): string[] {
  const providers = snapshot.encryptionProviders.map(
    ({ provider, keyName, keys }) => `${provider} ${keyName} (${keys ?? 'some'} keys)`,
  );
  return providers.length === 0 ? [] : ['', `The API server's encryption keys are needed too: ${providers.join(', ')}`];
}
