import * as z from 'zod';

/**
 * The manifest of a backup, format version 1. Strict: an unknown key means that another writer made it.
 * 64-bit numbers are strings, because JSON readers lose their last digits; ids are hexadecimal, as etcd prints them.
 */

const decimal = z.string().regex(/^-?\d{1,19}$/);
const hex64 = z.string().regex(/^[0-9a-f]{16}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const crc32c = z.int().min(0).max(0xffff_ffff);
const sizeBytes = z.int().min(0);
const text = z.string().max(1024);
const instant = z.iso.datetime();
const milliseconds = z.int().min(0);

const member = z.strictObject({
  id: hex64,
  name: text,
  version: text,
  role: z.enum(['leader', 'follower', 'learner']),
  raftTerm: decimal,
  raftIndex: decimal,
});

const freshness = z.discriminatedUnion('checked', [
  z.strictObject({ checked: z.literal(true), readRevision: decimal }),
  z.strictObject({ checked: z.literal(false), reason: text }),
]);

const kvHash = z.strictObject({ hash: crc32c, revision: decimal, compactRevision: decimal });

const snapshot = z.strictObject({
  revision: decimal,
  compactRevision: decimal,
  hash: crc32c,
  kvHash: kvHash.nullable(),
  totalEntries: z.int().min(0),
  liveKeys: z.int().min(0).nullable(),
  pageSizeBytes: z.int().min(512),
  storageVersion: text.nullable(),
  clusterVersion: text.nullable(),
  sizeBytes,
  sha256,
  encryptionProviders: z
    .array(z.strictObject({ provider: text, version: text, keyName: text, keys: z.int().min(0).nullable() }))
    .max(100),
});

const storedObject = z.strictObject({
  object: z.string().regex(/^snapshot\.db(\.zst)?(\.enc)?$/),
  sizeBytes,
  sha256,
});

const compression = z.discriminatedUnion('algorithm', [
  z.strictObject({ algorithm: z.literal('zstd'), level: z.int(), sizeBytes, sha256 }),
  z.strictObject({ algorithm: z.literal('none') }),
]);

const recipient = z.strictObject({
  kind: z.enum(['aws-kms', 'aes-key-file', 'rsa-public-key', 'rsa-private-key']),
  name: text,
});

const encryption = z.union([
  z.literal('none'),
  z.strictObject({
    format: z.literal('aws-encryption-sdk-message-v2'),
    algorithmSuite: text,
    recipients: z.array(recipient).min(1).max(32),
    context: z.record(z.string().max(256), text),
  }),
]);

const liveMember = z.strictObject({
  member: text,
  version: text,
  result: z.enum(['equal', 'not-comparable', 'differs', 'unreachable']),
  hash: crc32c.nullable(),
  compactRevision: decimal.nullable(),
  reason: text.nullable(),
});

const check = z.strictObject({
  name: z.enum(['length', 'trailer', 'structure', 'etcd-layout', 'freshness', 'live-hash']),
  result: z.enum(['passed', 'not-checked', 'differs']),
  detail: text,
});

export const manifestSchema = z.strictObject({
  format: z.literal('etcd-warden-manifest'),
  version: z.literal(1),
  id: z.string().max(80),
  tool: z.strictObject({ name: z.literal('etcd-warden'), version: text }),
  cluster: z.strictObject({ name: z.string().regex(/^[a-z0-9-]{1,40}$/), lineage: hex64 }),
  member,
  freshness,
  snapshot,
  /** Members that could not serve the snapshot before one did, or were passed over, each with its reason. */
  skippedMembers: z.array(z.strictObject({ name: text, reason: text })).max(64),
  liveMembers: z.array(liveMember).max(64),
  compression,
  encryption,
  stored: storedObject,
  checks: z.array(check).max(16),
  timings: z.strictObject({
    startedAt: instant,
    streamedAt: instant,
    committedAt: instant,
    streamHeldMs: milliseconds,
  }),
  tags: z.record(z.string().regex(/^[A-Za-z0-9_./-]{1,63}$/), z.string().max(256)),
  restore: z.array(z.string().max(2048)).max(16),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type LiveMemberResult = Manifest['liveMembers'][number];
export type ManifestCheck = Manifest['checks'][number];
