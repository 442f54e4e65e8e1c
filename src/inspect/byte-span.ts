/** Bytes with a view for reading numbers at any offset, so that neither is made again for each page. */
export interface ByteSpan {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export function byteSpan(bytes: Uint8Array): ByteSpan {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

/** Order of two byte strings as bbolt sorts keys: negative, 0 or positive. */
export function compareBytes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const shared = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < shared; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!;
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}

/** A key in a message: quoted where it is plain text, else hex, and never long. Keys are remote text. */
export function describeKey(key: Uint8Array): string {
  const shown = key.subarray(0, 40);
  const more = key.length > shown.length ? '…' : '';
  const plain = shown.every((byte) => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c);
  if (plain) return `"${String.fromCharCode(...shown)}${more}"`;
  return `0x${Array.from(shown, (byte) => byte.toString(16).padStart(2, '0')).join('')}${more}`;
}
