import * as z from 'zod';

/** What a read-back found, written down beside a backup. */
export interface Evidence {
  readonly kind: 'verified' | 'damaged';
  readonly backup: string;
  readonly at: Date;
  /** Of the damage: code and message of the error. */
  readonly facts: Readonly<Record<string, string>>;
}

/** Evidence is a few lines; a larger object under its name is not ours. */
export const evidenceMaxBytes = 64 * 1024;

export function encodeEvidence({ kind, backup, at, facts }: Evidence): Uint8Array {
  const record = { format: 'etcd-warden-evidence', version: 1, kind, backup, at: at.toISOString(), ...facts };
  return new TextEncoder().encode(`${JSON.stringify(record, undefined, 2)}\n`);
}

const damageRecord = z.object({ code: z.string().max(64), message: z.string().max(8192) });

/** The damage that a record tells of, in words; undefined if it tells of none that can be read. */
export function decodeDamage(bytes: Uint8Array): string | undefined {
  try {
    const { code, message } = damageRecord.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return `${code}: ${message}`;
  } catch {
    return undefined;
  }
}
