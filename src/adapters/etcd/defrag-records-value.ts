import * as z from 'zod';
import type { DefragRecord } from '../../ports/defrag-records.ts';

/** Far longer than any that we write. */
const maxValueBytes = 4096;

const sizeBytes = z.int().nonnegative();

const written = z.object({
  version: z.literal(1),
  at: z.iso.datetime(),
  beforeBytes: sizeBytes,
  afterBytes: sizeBytes.optional(),
  durationMs: z.number().nonnegative(),
  failures: z.int().nonnegative(),
});

export function encodeDefragRecord(record: DefragRecord): string {
  const { at, beforeBytes, afterBytes, durationMs, failures } = record;
  return JSON.stringify({ version: 1, at: at.toISOString(), beforeBytes, afterBytes, durationMs, failures });
}

/** undefined for what this version does not understand. */
export function decodeDefragRecord(value: Uint8Array): DefragRecord | undefined {
  if (value.length > maxValueBytes) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(value);
    const { at, beforeBytes, afterBytes, durationMs, failures } = written.parse(JSON.parse(text));
    return { at: new Date(at), beforeBytes, afterBytes, durationMs, failures };
  } catch {
    return undefined;
  }
}
