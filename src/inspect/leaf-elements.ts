import { compareBytes, type ByteSpan } from './byte-span.ts';
import { bucketElement, elementBytes, maxKeyBytes, pageHeaderBytes } from './pages.ts';

/**
 * Checks the element table of the leaf page at `at`: bbolt writes keys and values one after another, in order, right
 * behind the table (internal/common/inode.go, WriteInodeToPage). Returns where the data ends, counted from the page's
 * start, or -1 where an element is elsewhere, has no key, or leaves the page's `runBytes`.
 */
export function endOfLeafData({ view }: ByteSpan, at: number, count: number, runBytes: number): number {
  let data = pageHeaderBytes + count * elementBytes;
  for (let element = pageHeaderBytes; element < pageHeaderBytes + count * elementBytes; element += elementBytes) {
    const keyBytes = view.getUint32(at + element + 8, true);
    if (element + view.getUint32(at + element + 4, true) !== data || keyBytes === 0 || keyBytes > maxKeyBytes)
      return -1;
    data += keyBytes + view.getUint32(at + element + 12, true);
  }
  return data <= runBytes ? data : -1;
}

export interface LeafElement {
  readonly isBucket: boolean;
  readonly keyStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** Elements of a leaf page whose table was checked; positions are in the span. */
export function* leafElements({ view }: ByteSpan, at: number, count: number): Generator<LeafElement> {
  let keyStart = at + pageHeaderBytes + count * elementBytes;
  for (let i = 0; i < count; i++) {
    const element = at + pageHeaderBytes + i * elementBytes;
    const valueStart = keyStart + view.getUint32(element + 8, true);
    const valueEnd = valueStart + view.getUint32(element + 12, true);
    yield { isBucket: view.getUint32(element, true) === bucketElement, keyStart, valueStart, valueEnd };
    keyStart = valueEnd;
  }
}

/** The first element whose key is not above the one before it; undefined if the keys are sorted. */
export function firstUnsorted(span: ByteSpan, at: number, count: number): LeafElement | undefined {
  let before: LeafElement | undefined;
  for (const element of leafElements(span, at, count)) {
    if (
      before !== undefined &&
      compareBytes(span.bytes, before.keyStart, before.valueStart, span.bytes, element.keyStart, element.valueStart) >=
        0
    ) {
      return element;
    }
    before = element;
  }
  return undefined;
}
