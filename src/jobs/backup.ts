import { exitStatus } from '../errors/table.ts';
import { toWardenError, type WardenError } from '../errors/warden-error.ts';
import { buildManifest, encryptionContext } from '../manifest/build-manifest.ts';
import { encodeManifest } from '../manifest/manifest.ts';
import type { Manifest } from '../manifest/schema.ts';
import type { Clock } from '../ports/clock.ts';
import type { Etcd } from '../ports/etcd.ts';
import type { KeyProvider } from '../ports/key-provider.ts';
import type { Log } from '../ports/log.ts';
import type { Progress } from '../ports/progress.ts';
import type { Repository } from '../ports/repository.ts';
import { makeBackupId, randomBytesOfId } from '../repository/backup-id.ts';
import { Delivery } from '../repository/delivery.ts';
import { formatLineage, snapshotName, type BackupPlace } from '../repository/layout.ts';
import type { Unchecked } from '../repository/read-back.ts';
import { chooseMembers, isLeader, type Preference } from '../snapshot/choose-member.ts';
import {
  describeCompression,
  describeEncryption,
  describeLiveHash,
  describeMember,
  describeSkipped,
} from '../snapshot/describe-snapshot.ts';
import { noMemberServed, triesNextMember } from '../snapshot/fail-over.ts';
import { proveLiveHash } from '../snapshot/prove-live-hash.ts';
import { proveFresh, proveSound } from '../snapshot/prove.ts';
import { prepareSealing, type Sealing } from '../snapshot/seal.ts';
import { openSpool, type SpoolOptions } from '../snapshot/spool.ts';
import { surveyMembers, type Survey, type SurveyedMember } from '../snapshot/survey-members.ts';
import { takeSnapshot, type StreamLimits } from '../snapshot/take-snapshot.ts';

export interface BackupParts {
  readonly etcd: Etcd;
  readonly repositories: readonly Repository[];
  /** Who can open what is stored; `none` only where the configuration says so. */
  readonly recipients: readonly KeyProvider[] | 'none';
  readonly clock: Clock;
  readonly log: Log;
  readonly progress: Progress;
  /** Asked right before a stream is opened: rejects where somebody else may work on the cluster now. */
  readonly confirmLock?: (signal: AbortSignal) => Promise<void>;
  /** Fresh random bytes. */
  readonly random: (count: number) => Uint8Array;
}

export interface BackupOptions {
  readonly cluster: string;
  readonly prefer: Preference;
  readonly limits: StreamLimits;
  readonly compression: Sealing['compression'];
  readonly spool: SpoolOptions | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly toolVersion: string;
}

export interface SkippedMember {
  readonly name: string;
  readonly reason: string;
}

export interface BackupResult {
  readonly place: BackupPlace;
  readonly manifest: Manifest;
  readonly stored: readonly string[];
  readonly failed: ReadonlyMap<string, WardenError>;
  /** What could not be checked in repositories that hold it, mostly because this role may not read there. */
  readonly unchecked: ReadonlyMap<string, readonly Unchecked[]>;
  readonly skippedMembers: readonly SkippedMember[];
  /** Members whose data was found damaged, or differs from what most have. The backup is from another one. */
  readonly damagedMembers: readonly SkippedMember[];
}

/** What a backup would do now. */
export interface BackupPlan {
  readonly lineage: string;
  readonly readRevision: bigint | undefined;
  readonly candidates: readonly { readonly name: string; readonly role: string; readonly dbSizeBytes: number }[];
  readonly skippedMembers: readonly SkippedMember[];
}

/** Takes one snapshot, proves it and stores it in every repository. Rejects only if no repository holds it in the end. */
export async function backUp(parts: BackupParts, options: BackupOptions, signal: AbortSignal): Promise<BackupResult> {
  parts.progress({ kind: 'stage', text: 'asking the members' });
  await using survey = await surveyMembers(parts.etcd, signal);
  const choice = chooseMembers(survey.members, survey.readRevision, options.prefer);
  const skippedMembers: SkippedMember[] = [...survey.absent, ...choice.skipped];
  if (survey.noReadBecause !== undefined) parts.log.warn(`freshness not checked: ${survey.noReadBecause}`);
  for (const { name, reason } of skippedMembers) parts.log.warn('member skipped', { member: name, reason });

  const failures: WardenError[] = [];
  const damagedMembers: SkippedMember[] = [];
  for (const member of choice.candidates) {
    try {
      const stored = await backUpFrom(member, survey, skippedMembers, parts, options, signal);
      return { ...stored, skippedMembers, damagedMembers: [...damagedMembers, ...differingMembers(stored.manifest)] };
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toWardenError(thrown);
      if (!triesNextMember(error)) throw error;
      failures.push(error);
      const skipped = { name: member.name, reason: error.message };
      skippedMembers.push(skipped);
      if (error.exitStatus === exitStatus.damage) damagedMembers.push(skipped);
      parts.log.error('snapshot failed', { member: member.name, code: error.code, reason: error.message });
    }
  }
  throw noMemberServed(failures, skippedMembers);
}

/** The same survey and choice, and nothing else. */
export async function planBackup(
  parts: Pick<BackupParts, 'etcd'>,
  prefer: Preference,
  signal: AbortSignal,
): Promise<BackupPlan> {
  await using survey = await surveyMembers(parts.etcd, signal);
  const choice = chooseMembers(survey.members, survey.readRevision, prefer);
  return {
    lineage: formatLineage(survey.clusterId),
    readRevision: survey.readRevision,
    candidates: choice.candidates.map((member) => ({
      name: member.name,
      role: isLeader(member) ? 'leader' : 'follower',
      dbSizeBytes: member.status?.dbSizeBytes ?? 0,
    })),
    skippedMembers: [...survey.absent, ...choice.skipped],
  };
}

async function backUpFrom(
  member: SurveyedMember,
  survey: Survey,
  skippedMembers: readonly SkippedMember[],
  parts: BackupParts,
  options: BackupOptions,
  signal: AbortSignal,
): Promise<Omit<BackupResult, 'skippedMembers' | 'damagedMembers'>> {
  const startedAt = parts.clock.now();
  const place = nameBackup(survey, member, options.cluster, startedAt, parts.random);
  const context = encryptionContext(place.cluster, place.lineage, place.id.text);
  const encryption = parts.recipients === 'none' ? 'none' : { providers: parts.recipients, context };
  const prepared = await prepareSealing({ compression: options.compression, encryption }, signal);

  parts.progress({ kind: 'stage', text: `streaming from ${member.name}` });
  parts.log.debug('snapshot begins', { backup: place.id.text, member: member.name });
  await using spool = options.spool === undefined ? undefined : await openSpool(options.spool);
  await using delivery = await Delivery.start(
    parts.repositories,
    {
      place,
      suffix: prepared.suffix,
      maxBytes: maxSealedBytes(member),
      limits: { stallMs: options.limits.idleTimeoutMs, patienceMs: options.limits.maxStreamHoldMs / 2 },
      now: () => parts.clock.monotonicMs(),
    },
    signal,
  );
  const surroundings = { clock: parts.clock, progress: parts.progress, spool };
  await parts.confirmLock?.(signal);
  const taken = await takeSnapshot(member.client, prepared, delivery, options.limits, surroundings, signal);
  proveSound(taken.inspection);
  proveFresh(taken.inspection, survey.readRevision, member.name);
  parts.progress({ kind: 'stage', text: 'comparing with the live members' });
  const live = await proveLiveHash(
    survey.members,
    { ...taken.inspection, hashKvAt: taken.hashKvAt },
    member.name,
    signal,
  );

  parts.progress({ kind: 'stage', text: 'storing' });
  const committedAt = parts.clock.now();
  const manifest = buildManifest({
    id: place.id.text,
    toolVersion: options.toolVersion,
    cluster: { name: place.cluster, lineage: place.lineage },
    member: describeMember(member),
    readRevision: survey.readRevision,
    noReadBecause: survey.noReadBecause,
    inspection: taken.inspection,
    skippedMembers: skippedMembers.slice(0, 64).map(describeSkipped),
    liveMembers: live.map(describeLiveHash),
    compression: describeCompression(prepared, taken.sealed),
    encryption: describeEncryption(prepared, context),
    stored: {
      object: snapshotName(prepared.suffix),
      sizeBytes: taken.sealed.sealedBytes,
      sha256: taken.sealed.sealedSha256,
    },
    timings: {
      startedAt: startedAt.toISOString(),
      streamedAt: taken.streamedAt.toISOString(),
      committedAt: committedAt.toISOString(),
      streamHeldMs: taken.streamHeldMs,
    },
    tags: options.tags,
  });
  const stored = await delivery.commit(encodeManifest(manifest), signal);
  parts.log.info('backup stored', {
    backup: place.id.text,
    repositories: stored,
    member: member.name,
    revision: manifest.snapshot.revision,
    snapshotBytes: manifest.snapshot.sizeBytes,
    storedBytes: manifest.stored.sizeBytes,
  });
  for (const [repository, error] of delivery.failures) {
    parts.log.error('repository failed', { repository, code: error.code, reason: error.message });
  }
  tellUnchecked(parts.log, place.id.text, delivery.unchecked);
  return { place, manifest, stored, failed: delivery.failures, unchecked: delivery.unchecked };
}

/** One line, and no warning: a role that may only write is a good one for backups. */
function tellUnchecked(log: Log, backup: string, unchecked: BackupResult['unchecked']): void {
  const facts = [...unchecked].flatMap(([name, left]) => left.map(({ what }) => `${name}: ${what}`));
  const [first] = [...unchecked.values()].flat();
  if (first === undefined) return;
  log.info('stored and not read back', { backup, unchecked: facts, reason: first.because });
}

function nameBackup(
  survey: Survey,
  member: SurveyedMember,
  cluster: string,
  time: Date,
  random: BackupParts['random'],
): BackupPlace {
  const revision = survey.readRevision ?? member.status?.revision ?? 0n;
  return {
    cluster,
    lineage: formatLineage(survey.clusterId),
    id: makeBackupId(time, revision, random(randomBytesOfId)),
  };
}

function differingMembers({ liveMembers, snapshot }: Manifest): SkippedMember[] {
  const differing = liveMembers.filter(({ result }) => result === 'differs');
  return differing.map(({ member }) => ({
    name: member,
    reason: `has another HashKV at revision ${snapshot.revision}`,
  }));
}

/**
 * More than the stream can bring. A database grows while it is streamed, and bytes that do not shrink grow a little
 * when they are sealed; only the size of an upload's parts follows from this.
 */
function maxSealedBytes(member: SurveyedMember): number {
  return (member.status?.dbSizeBytes ?? 0) * 2 + 64 * 1024 * 1024;
}
