import * as z from 'zod';

/** Why retention leaves a backup alone, written down beside it until somebody releases it. */
export interface Hold {
  readonly backup: string;
  readonly name: string;
  readonly reason: string;
  readonly at: Date;
}

/** A hold is a few lines; a larger object under its name is not ours. */
export const holdMaxBytes = 64 * 1024;

export const holdNameRule = '1 to 40 of a-z, 0-9 and -';
export const holdReasonRule = '1 to 500 characters in one line, none of them a control character';

/** Whether a text can be the name of a hold: it becomes a part of an object's key. */
export function isHoldName(text: string): boolean {
  return /^[a-z0-9-]{1,40}$/.test(text);
}

export function isHoldReason(text: string): boolean {
  return text.trim() !== '' && /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,500}$/u.test(text);
}

export function encodeHold({ backup, name, reason, at }: Hold): Uint8Array {
  const record = { format: 'etcd-warden-hold', version: 1, backup, name, reason, at: at.toISOString() };
  return new TextEncoder().encode(`${JSON.stringify(record, undefined, 2)}\n`);
}

const holdRecord = z.object({
  backup: z.string().max(200),
  name: z.string().max(40),
  reason: z.string().max(8192),
  at: z.iso.datetime(),
});

/** undefined for bytes that tell of no hold. The object's name is what holds: what stands in it is for people. */
export function decodeHold(bytes: Uint8Array): Hold | undefined {
  try {
    const { at, ...told } = holdRecord.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return { ...told, at: new Date(at) };
  } catch {
    return undefined;
  }
}
