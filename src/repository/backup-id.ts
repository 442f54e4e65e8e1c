import { formatTimeStamp, parseTimeStamp } from './time-stamp.ts';

/**
 * A backup id sorts by time and names a revision: `20261124T140000Z-r228678-k3f9x2qa`.
 * The revision is the one that the cluster had reached when the backup began, because an upload needs its key before
 * the last byte of the stream is known: the snapshot inside is at least as new, and the manifest says exactly how new.
 * The last part is 40 random bits, so that two writers never meet under one key.
 */
export interface BackupId {
  readonly text: string;
  readonly time: Date;
  readonly revision: bigint;
}

const pattern = /^(\d{8}T\d{6}Z)-r(0|[1-9]\d{0,18})-[0-9a-hjkmnp-tv-z]{8}$/;

/** Crockford's base 32: no letters that are taken for digits. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
export const randomBytesOfId = 5;

export function makeBackupId(time: Date, revision: bigint, random: Uint8Array): BackupId {
  const text = `${formatTimeStamp(time)}-r${revision}-${encodeBase32(random.subarray(0, randomBytesOfId))}`;
  return { text, time: new Date(Math.floor(time.getTime() / 1000) * 1000), revision };
}

/** undefined for anything that `makeBackupId` would not have written. */
export function parseBackupId(text: string): BackupId | undefined {
  const [, stamp, revision] = pattern.exec(text) ?? [];
  const time = parseTimeStamp(stamp ?? '');
  return time === undefined || revision === undefined ? undefined : { text, time, revision: BigInt(revision) };
}

function encodeBase32(bytes: Uint8Array): string {
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let shift = bytes.length * 8 - 5; shift >= 0; shift -= 5)
    text += alphabet[Number((bits >> BigInt(shift)) & 31n)];
  return text;
}
