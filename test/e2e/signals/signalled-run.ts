import { mostReadTransactions, readTransactionsAfter } from '../support/filled-cluster.ts';
import type { EndedWarden } from '../support/warden-process.ts';
import type { Moment } from './moment.ts';
import { reachMoment } from './reach-stage.ts';
import type { SignalSite } from './site.ts';

/** Everything that a run can be judged by: the process, and what others see of what it left. */
export interface Evidence {
  readonly moment: Moment;
  /** False where the run was over before its moment came. */
  readonly signalled: boolean;
  /** From the signal to the end of the process. */
  readonly tookMs: number;
  readonly ended: EndedWarden;
  readonly isLocked: boolean;
  readonly openUploads: readonly string[];
  readonly strayFiles: readonly string[];
  /** Everything in both stores. */
  readonly contents: readonly string[];
  /** Transactions that read etcd's database: before the run, and since. */
  readonly readTransactions: { readonly before: number; readonly after: number };
  /** What `verify` said of every backup that came to be in this run. */
  readonly verified: readonly EndedWarden[];
}

/** A stream of a second and a half. */
const streamBytesPerSecond = 18_000_000;

/** One backup that is told to end at a moment, and what it left. */
export async function carryOut(site: SignalSite, moment: Moment): Promise<Evidence> {
  const before = await mostReadTransactions(site.cluster, site.member);
  const known = new Set(manifestsIn(await site.contents()));
  if (moment.stage === 'stream') site.etcdProxy.set({ kind: 'throttle', bytesPerSecond: streamBytesPerSecond });
  await using warden = site.startBackup(moment);
  const signalled = await reachMoment(moment, site, warden);
  const signalledMs = performance.now();
  if (signalled) warden.signal('SIGTERM');
  const ended = await warden.ended;
  const tookMs = performance.now() - signalledMs;
  const [isLocked, openUploads, strayFiles, contents] = await Promise.all([
    site.isLocked(),
    site.openUploads(),
    site.strayFiles(),
    site.contents(),
  ]);
  site.etcdProxy.set({ kind: 'none' });
  const after = await readTransactionsAfter(site.cluster, site.member, before);
  const verified: EndedWarden[] = [];
  const made = manifestsIn(contents).filter((name) => !known.has(name));
  for (const [id, manifests] of Map.groupBy(made, (name) => name.split('/').at(-2) ?? '')) {
    const isEverywhere = manifests.length > 1;
    const repository = manifests[0]?.startsWith('object ') === true ? 'cloud' : 'local';
    verified.push(await site.run('verify', id, ...(isEverywhere ? [] : ['--repository', repository])));
  }
  return {
    moment,
    signalled,
    tookMs,
    ended,
    isLocked,
    openUploads,
    strayFiles,
    contents,
    readTransactions: { before, after },
    verified,
  };
}

const manifestsIn = (contents: readonly string[]): string[] =>
  contents.filter((name) => name.endsWith('/manifest.json'));
