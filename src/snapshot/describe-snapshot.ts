import type { Manifest } from '../manifest/schema.ts';
import { isLeader } from './choose-member.ts';
import type { LiveHash } from './compare-live-hash.ts';
import type { PreparedSealing, SealingFacts } from './seal.ts';
import type { SurveyedMember } from './survey-members.ts';

/** The parts of a manifest that tell how its snapshot came about. */

export function describeMember(member: SurveyedMember): Manifest['member'] {
  const { status } = member;
  const role = status?.isLearner === true ? 'learner' : isLeader(member) ? 'leader' : 'follower';
  return {
    id: (status?.memberId ?? 0n).toString(16).padStart(16, '0'),
    name: cut(member.name),
    version: cut(status?.version ?? ''),
    role,
    raftTerm: (status?.raftTerm ?? 0n).toString(),
    raftIndex: (status?.raftIndex ?? 0n).toString(),
  };
}

export function describeLiveHash(live: LiveHash): Manifest['liveMembers'][number] {
  return {
    member: cut(live.member),
    version: cut(live.version),
    result: live.result,
    hash: live.hash ?? null,
    compactRevision: live.compactRevision?.toString() ?? null,
    reason: live.reason === undefined ? null : cut(live.reason),
  };
}

export function describeCompression(prepared: PreparedSealing, sealed: SealingFacts): Manifest['compression'] {
  if (prepared.compression.algorithm === 'none') return { algorithm: 'none' };
  const { level } = prepared.compression;
  return { algorithm: 'zstd', level, sizeBytes: sealed.compressedBytes, sha256: sealed.compressedSha256 };
}

export function describeEncryption(
  prepared: PreparedSealing,
  context: Readonly<Record<string, string>>,
): Manifest['encryption'] {
  if (prepared.message === undefined) return 'none';
  return {
    format: 'aws-encryption-sdk-message-v2',
    algorithmSuite: 'AES-256-GCM-HKDF-SHA512-COMMIT-KEY',
    recipients: prepared.recipients.map((recipient) => ({ ...recipient })),
    context: { ...context },
  };
}

export function describeSkipped(member: {
  readonly name: string;
  readonly reason: string;
}): Manifest['skippedMembers'][number] {
  return { name: cut(member.name), reason: cut(member.reason) };
}

/** Texts of others have to fit into a manifest, whose schema limits them; a backup must not fail for a long name. */
function cut(text: string): string {
  return text.slice(0, 1000);
}
