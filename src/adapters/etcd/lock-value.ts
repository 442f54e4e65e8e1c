import * as z from 'zod';

/** Who holds a lock, for people. */
export interface LockHolder {
  readonly holder: string;
  readonly since: Date | undefined;
}

const maxHolderLength = 200;

/** Longer than any that we write. */
const maxValueBytes = 4096;

const written = z.object({ version: z.literal(1), holder: z.string(), since: z.iso.datetime() });

export function encodeLockValue(holder: string, since: Date): string {
  return JSON.stringify({ version: 1, holder: cleaned(holder), since: since.toISOString() });
}

/** What the value of the lock's key says; of a stranger's value only that it is one. */
export function decodeLockValue(value: Uint8Array): LockHolder {
  const found = value.length <= maxValueBytes ? parseJson(value) : undefined;
  const { success, data } = written.safeParse(found);
  if (success) return { holder: cleaned(data.holder), since: new Date(data.since) };
  return { holder: `a stranger: ${value.length} bytes that etcd-warden did not write`, since: undefined };
}

function parseJson(value: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value)) as unknown;
  } catch {
    return undefined;
  }
}

/** One line of bounded length, without characters that steer a terminal or turn the text around. */
function cleaned(text: string): string {
  return text
    .slice(0, maxHolderLength)
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
}
