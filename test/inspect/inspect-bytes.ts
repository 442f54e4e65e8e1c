import { createInspector, type Inspection, type InspectorOptions } from '../../src/inspect/inspector.ts';

/** Inspects a whole snapshot in pieces of the given sizes, over and over; by default as the pipeline does. */
export function inspectBytes(
  bytes: Uint8Array,
  pieces: readonly number[] = [1 << 20],
  options?: InspectorOptions,
): Inspection {
  const inspector = createInspector(options);
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = pieces[i % pieces.length] ?? 1;
    // A copy that is overwritten at once: the inspector must not keep what it was given. A Buffer, as the pipeline has
    // them, because its slice() is no copy.
    const piece = Buffer.from(bytes.subarray(at, at + size));
    inspector.write(piece);
    piece.fill(0xee);
    at += size;
  }
  return inspector.finish();
}

export const codesOf = (inspection: Inspection): string[] => inspection.damage.map(({ code }) => code);
