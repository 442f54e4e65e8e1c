import { join } from 'node:path';
import type { Manifest } from '../../../src/manifest/schema.ts';
import { type Cluster, startCluster } from '../../support/etcd.ts';
import { snapshotStatus, type SnapshotStatus } from '../../support/snapshot-fixtures.ts';
import type { EtcdVersion } from '../../support/toolchain.ts';
import { startRestored } from '../support/restored-etcd.ts';
import { makeTempFolder, runWarden } from '../support/warden.ts';
import { digestOf, Journal, type KeyState } from './journal.ts';
import { type Variant, writeVariants } from './variants.ts';
import { Writer } from './writer.ts';

export interface RoundOptions {
  readonly version: EtcdVersion;
  readonly members: 1 | 3;
  readonly seed: number;
}

/** What came of one backup. */
export interface Verdict {
  readonly manifest: Manifest;
  readonly variant: string;
  /** Everything that is wrong, a sentence each. */
  readonly faults: readonly string[];
  readonly keys: number;
  /** How many writes lie between what was acknowledged before the start and what is inside. */
  readonly revisionsSinceStart: number;
}

/** One cluster under its writer, from which backups are taken and judged by etcd's own tools. */
export class Round implements AsyncDisposable {
  readonly journal: Journal;
  readonly writer: Writer;
  readonly #version: EtcdVersion;
  readonly #variants: readonly Variant[];
  readonly #folder: string;
  readonly #owned: AsyncDisposableStack;

  private constructor(
    cluster: Cluster,
    folder: string,
    variants: readonly Variant[],
    seed: number,
    owned: AsyncDisposableStack,
  ) {
    this.#version = cluster.version;
    this.#variants = variants;
    this.#folder = folder;
    this.#owned = owned;
    this.journal = new Journal();
    this.writer = owned.use(new Writer(cluster.endpoints, this.journal, seed));
  }

  static async start({ version, members, seed }: RoundOptions): Promise<Round> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await makeTempFolder());
    const cluster = stack.use(await startCluster({ version, members }));
    const variants = await writeVariants(folder.path, cluster.endpoints);
    return new Round(cluster, folder.path, variants, seed, stack.move());
  }

  /** Backs up, restores, lets this version's etcdutl and etcd look at the result, and compares with what the writer was told. */
  async backUpAndJudge(index: number): Promise<Verdict> {
    const variant = this.#variants[index % this.#variants.length] as Variant;
    const acknowledged = this.journal.newestRevision;
    const { manifest } = (await runWarden(['backup'], variant)) as { readonly manifest: Manifest };
    const file = join(this.#folder, `restored-${index}.db`);
    await runWarden(['restore', manifest.id, '--to', file], variant);

    const status = await snapshotStatus(this.#version, file);
    await using restored = await startRestored(this.#version, file);
    const keys = await restored.readAll(status.revision);
    const hashKv = await restored.hashKv(status.revision);
    await this.writer.settle();
    const found = new Map(
      keys.map(({ key, value, mod_revision: revision, lease }): [string, KeyState] => [
        key.toString(),
        { revision: Number(revision), digest: digestOf(value), lease },
      ]),
    );
    return {
      manifest,
      variant: variant.name,
      keys: keys.length,
      revisionsSinceStart: status.revision - acknowledged,
      faults: [
        ...compareWithStatus(manifest, status, this.#version),
        ...(hashKv === manifest.snapshot.kvHash?.hash ? [] : [`the restored member has HashKV ${hashKv}`]),
        ...(status.revision >= acknowledged
          ? []
          : [`revision ${acknowledged} was acknowledged, etcdutl finds ${status.revision}`]),
        ...this.journal.compare(found, status.revision),
      ],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

/** SHA-256 that etcd appends, which bbolt knows nothing of. */
const trailerBytes = 32;

/** `etcdutl snapshot status` of the restored file against what the manifest says of the snapshot. */
function compareWithStatus({ snapshot }: Manifest, status: SnapshotStatus, version: EtcdVersion): string[] {
  // Up to 3.5 etcdutl counts the entries of all buckets, later ones the keys that exist.
  const totalKeys = version === '3.5' ? snapshot.totalEntries : snapshot.liveKeys;
  const facts: [string, unknown, unknown][] = [
    ['HASH', snapshot.hash, status.hash],
    ['revision', Number(snapshot.revision), status.revision],
    ['total keys', totalKeys, status.totalKey],
    ['size without the trailer', snapshot.sizeBytes - trailerBytes, status.totalSize],
    ['version', snapshot.storageVersion ?? '', status.version ?? ''],
  ];
  return facts
    .filter(([, ours, theirs]) => ours !== theirs)
    .map(([name, ours, theirs]) => `${name} is ${String(ours)} in the manifest, ${String(theirs)} for etcdutl`);
}
