import type { ErrorCode } from '../errors/table.ts';
import { toWardenError, WardenError } from '../errors/warden-error.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Progress } from '../ports/progress.ts';
import type { Repository } from '../ports/repository.ts';
import { findClusters, readCatalogue, type Catalogue, type CatalogueEntry } from '../repository/catalogue.ts';
import { removeBackups, type BackupRemoval } from '../repository/remove-backups.ts';
import { findRemains, sweep, type Remains, type SweepResult } from '../repository/sweep.ts';
import { believableNow } from '../retention/believable-now.ts';
import type { BackupFacts } from '../retention/facts.ts';
import type { Acceptance, RetentionPlan } from '../retention/plan.ts';
import { planRetention } from '../retention/plan-retention.ts';
import type { RetentionPolicy } from '../retention/policy.ts';
import { refusalError } from '../retention/refusal-error.ts';

export interface PruneParts {
  readonly repositories: readonly PrunableRepository[];
  readonly clock: Clock;
  readonly log: Log;
  readonly progress: Progress;
  /** Aborted once another run may do the same work: nothing further is removed. */
  readonly lost?: AbortSignal;
}

export interface PrunableRepository extends Repository {
  readonly policy: RetentionPolicy;
}

export interface PruneOptions {
  readonly cluster: string;
  /** Plans and shows, and removes nothing. */
  readonly dryRun: boolean;
  /** The lineage to prune; undefined: the one that the newest backup belongs to. */
  readonly lineage: string | undefined;
  /** How many backups the schedule brings in a day at most; undefined where it is not known. */
  readonly expectedPerDay: number | undefined;
  /** What somebody looked at and says that it is all right, this once. */
  readonly accepted: ReadonlySet<Acceptance>;
  /** No run of this cluster can live longer: what is younger may still be written. */
  readonly runLimitMs: number;
  /** A backup that was stored just before: a listing that does not show it is not whole. */
  readonly justStored?: string;
}

export interface PrunedRepository {
  readonly repository: string;
  /** undefined where the repository could not be listed. */
  readonly plan: RetentionPlan | undefined;
  /** What became of each backup that the plan removes, by id; empty in a dry run. */
  readonly removals: ReadonlyMap<string, BackupRemoval>;
  readonly remains: Remains | undefined;
  readonly swept: SweepResult | undefined;
  /** Backups of other lineages: never touched. */
  readonly otherLineages: ReadonlyMap<string, number>;
  /** Where there is nothing of this cluster: those of which there is something. */
  readonly otherClusters: readonly string[];
  /** Why nothing was removed, or the first reason why something stayed that should have gone. */
  readonly error: WardenError | undefined;
}

/** Carries retention out, each repository on its own. Rejects only when interrupted, once work on all of them has ended. */
export async function prune(
  parts: PruneParts,
  options: PruneOptions,
  signal: AbortSignal,
): Promise<PrunedRepository[]> {
  const outcomes = await Promise.allSettled(
    parts.repositories.map(async (repository) => {
      const pruned = await pruneOne(repository, parts, options, signal);
      const { error } = pruned;
      if (error !== undefined) {
        const { code, message: reason } = error;
        parts.log.warn('retention was not carried out in full', { repository: repository.name, code, reason });
      }
      return pruned;
    }),
  );
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

async function pruneOne(
  repository: PrunableRepository,
  parts: PruneParts,
  options: PruneOptions,
  signal: AbortSignal,
): Promise<PrunedRepository> {
  const { name, store, policy } = repository;
  const nothing: PrunedRepository = {
    repository: name,
    plan: undefined,
    removals: new Map(),
    remains: undefined,
    swept: undefined,
    otherLineages: new Map(),
    otherClusters: [],
    error: undefined,
  };
  let catalogue: Catalogue;
  try {
    catalogue = await readWhole(repository, options, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    return { ...nothing, error: toListingError(name, toWardenError(thrown)) };
  }
  const { cluster, lineage, expectedPerDay, runLimitMs, accepted } = options;
  const backups = catalogue.entries.flatMap(factsOf);
  const told = parts.clock.now();
  const now = believableNow(told, backups);
  if (now < told) parts.log.warn('the clock is ahead of that of the store', { repository: name });
  const facts = { now, backups, lineage, expectedPerDay };
  const plan = planRetention(policy, facts, { accepted });
  tellOfDoubts(name, plan, parts.log);
  const planned = { ...nothing, plan, otherLineages: countOtherLineages(backups, plan.lineage) };
  if (plan.verdict === 'refuse') return { ...planned, error: refusalError(name, plan) };
  if (plan.lineage === undefined) return { ...planned, otherClusters: await findClusters(store, cluster, signal) };
  const scope = { cluster, lineage: plan.lineage, runLimitMs, acceptRemains: accepted.has('lost-manifests') };
  const remains = await findRemains(store, catalogue, scope, signal);
  if (options.dryRun) return { ...planned, remains };
  const removals = await carryOut(repository, plan, catalogue.entries, parts, signal);
  parts.lost?.throwIfAborted();
  const swept = await sweep(store, remains, signal);
  tellOfSweep(name, remains, swept, parts.log);
  return { ...planned, removals, remains, swept, error: firstFailure(name, removals, swept) };
}

async function readWhole(
  { name, store }: PrunableRepository,
  { cluster, justStored }: PruneOptions,
  signal: AbortSignal,
): Promise<Catalogue> {
  const catalogue = await readCatalogue(store, cluster, undefined, signal);
  const isShown = catalogue.entries.some(({ place, hasManifest }) => place.id.text === justStored && hasManifest);
  if (justStored === undefined || isShown) return catalogue;
  throw new WardenError('store-failed', `the listing of ${name} does not show ${justStored}, which was just stored`);
}

/** Where the store did not answer at all, the error is its own; where it answered with less than all, pruning is refused. */
const wholeFailures: ReadonlySet<string> = new Set<ErrorCode>([
  'store-unreachable',
  'store-tls-failed',
  'store-access-denied',
  'store-credentials',
  'store-bucket-missing',
  'store-wrong-region',
  'store-clock-skew',
  'store-not-writable',
]);

function toListingError(repository: string, error: WardenError): WardenError {
  if (wholeFailures.has(error.code)) return error;
  return refusalError(repository, { because: 'incomplete-listing', explanation: error.message }, error.hint);
}

function factsOf(entry: CatalogueEntry): BackupFacts[] {
  const { place, state, storedAt, snapshot, holds, verifiedAt, drilledAt, lockedUntil } = entry;
  if (state === 'incomplete' || storedAt === undefined) return [];
  const { text: id, time, revision } = place.id;
  const storedBytes = snapshot?.sizeBytes ?? 0;
  const { lineage } = place;
  return [{ id, lineage, time, revision, storedAt, state, verifiedAt, drilledAt, holds, lockedUntil, storedBytes }];
}

function countOtherLineages(backups: readonly BackupFacts[], own: string | undefined): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { lineage } of backups) if (lineage !== own) counts.set(lineage, (counts.get(lineage) ?? 0) + 1);
  return counts;
}

/** What becomes of each backup that the plan removes, by id. Every one is logged with its reason. */
async function carryOut(
  { name: repository, store }: PrunableRepository,
  { lineage, decisions }: RetentionPlan,
  entries: readonly CatalogueEntry[],
  { clock, log, progress, lost }: PruneParts,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, BackupRemoval>> {
  const reasonOf = new Map(
    decisions.filter(({ action }) => action === 'remove').map(({ backup, reasons }) => [backup.id, reasons.join(', ')]),
  );
  const leaving = entries.filter(({ place }) => place.lineage === lineage && reasonOf.has(place.id.text));
  if (leaving.length > 0) progress({ kind: 'stage', text: `removing ${leaving.length} backups from ${repository}` });
  const removals = new Map<string, BackupRemoval>();
  const onRemoval = ({ place, snapshot }: CatalogueEntry, removal: BackupRemoval): void => {
    const backup = place.id.text;
    removals.set(backup, removal);
    const fields = { repository, backup, reason: reasonOf.get(backup), storedBytes: snapshot?.sizeBytes };
    if (removal.kind === 'removed')
      log.info('backup removed', { ...fields, objectsLeft: removal.rest.failed + removal.rest.locked });
    else if (removal.kind === 'locked')
      log.info('backup is locked and stays', { ...fields, lockedUntil: removal.until?.toISOString() });
    else if (removal.kind === 'held') log.info('backup is held and stays', { ...fields, holds: removal.holds });
    else log.warn('backup could not be removed', { ...fields, ...toLogFields(removal.error) });
  };
  await removeBackups(store, leaving, onRemoval, clock.now(), signal, lost);
  return removals;
}

/** Where nothing counts, nothing ever goes: that must not pass for all being well. */
function tellOfDoubts(repository: string, { decisions, counted }: RetentionPlan, log: Log): void {
  if (decisions.length === 0 || counted > 0) return;
  log.warn('no backup counts towards retention', { repository, backups: decisions.length });
}

function tellOfSweep(repository: string, remains: Remains, swept: SweepResult, log: Log): void {
  const { objects, uploads, bytes } = swept;
  const backups = remains.folders.map(({ place }) => place.id.text);
  if (objects + uploads > 0) log.info('remains of dead runs removed', { repository, backups, objects, uploads, bytes });
  if (remains.suspicious.length > 0) {
    const lost = remains.suspicious.map(({ place }) => place.id.text);
    log.warn('backups seem to have lost their manifest and are left alone', { repository, backups: lost });
  }
  const unknown = remains.uploadsUnknownBecause;
  if (unknown !== undefined) log.warn('unfinished uploads are not known', { repository, ...toLogFields(unknown) });
}

function toLogFields({ code, message }: WardenError): { readonly code: string; readonly failure: string } {
  return { code, failure: message };
}

/** One that names how many stayed, where any should have gone; the first failure itself where none went. */
function firstFailure(
  repository: string,
  removals: ReadonlyMap<string, BackupRemoval>,
  { failure, objects, uploads }: SweepResult,
): WardenError | undefined {
  const all = [...removals.values()];
  const staying = all.flatMap((removal) => (removal.kind === 'failed' ? [removal.error] : []));
  const rest = all.flatMap((removal) => (removal.kind === 'removed' ? (removal.rest.failure ?? []) : []));
  const [first] = [...staying, ...rest, ...(failure === undefined ? [] : [failure])];
  if (first === undefined) return undefined;
  const hasRemoved = objects + uploads > 0 || all.some(({ kind }) => kind === 'removed');
  if (!hasRemoved) return first;
  const what =
    staying.length > 0 ? `${staying.length} of ${removals.size} backups` : 'objects of backups that are gone';
  return new WardenError('partly-pruned', `${what} could not be removed from ${repository}: ${first.message}`, {
    details: { repository, failed: staying.length, code: first.code },
    hint: first.hint,
    cause: first,
  });
}
