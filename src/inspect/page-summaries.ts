/** What a page was found to be. Nothing counts until the tree walk reaches the page. */
export const pageKind = {
  none: 0,
  branch: 1,
  leaf: 2,
  /** Every key of it is a revision of bucket `key`; first and last are in the revision columns, else among the kept bytes. */
  leafOfRevisions: 3,
} as const;

/** What is wrong with a page, if the walk reaches it. `explanationOf` of PageSummaries may say more. */
export const defect = {
  none: 0,
  elementOutOfBounds: 1,
  keysUnsorted: 2,
  tooComplex: 3,
  /** Its overflow pages have not all come. */
  incomplete: 4,
} as const;

export const pageMark = {
  firstIsTombstone: 1,
  lastIsTombstone: 2,
  /** A value that is no key-value record. */
  valueInvalid: 4,
  /** A user key too long to be hashed in passing; only in overflow pages. */
  keyNotHashed: 8,
  /** Its elements are buckets, and it is kept by BucketLeaves. */
  holdsBuckets: 16,
} as const;

export const noEntries = 0xffff_ffff;

const rowBits = 12;
const rowsPerChunk = 1 << rowBits;

/** Columns of 4096 pages, a row a page: 47 bytes a page, and no object. */
export class PageChunk {
  readonly kind = new Uint8Array(rowsPerChunk);
  readonly defect = new Uint8Array(rowsPerChunk);
  readonly marks = new Uint8Array(rowsPerChunk);
  /** Encryption providers that occur in the page's values, as bits. */
  readonly providers = new Uint16Array(rowsPerChunk);
  readonly count = new Uint16Array(rowsPerChunk);
  readonly overflow = new Uint32Array(rowsPerChunk);
  /** Leaf: CRC of its keys and values one after another. Branch: CRC of its separators. */
  readonly crc = new Uint32Array(rowsPerChunk);
  readonly dataBytes = new Uint32Array(rowsPerChunk);
  readonly firstMain = new Float64Array(rowsPerChunk);
  readonly lastMain = new Float64Array(rowsPerChunk);
  readonly firstSub = new Uint32Array(rowsPerChunk);
  readonly lastSub = new Uint32Array(rowsPerChunk);
  /** Leaf of revisions: number of its first entry, or noEntries. Others: where its kept bytes are. */
  readonly detail = new Uint32Array(rowsPerChunk);
}

export const rowOf = (page: number): number => page & (rowsPerChunk - 1);

/** One row for each page of the file; a chunk of rows exists once a page in it was summarised. */
export class PageSummaries {
  readonly #chunks: (PageChunk | undefined)[] = [];
  readonly #details = new Map<number, string>();

  /** The chunk that holds `page`, made if there is none. */
  chunkFor(page: number): PageChunk {
    return (this.#chunks[page >>> rowBits] ??= new PageChunk());
  }

  /** The chunk that holds `page`; undefined where nothing near it looked like a page. */
  chunkOf(page: number): PageChunk | undefined {
    return this.#chunks[page >>> rowBits];
  }

  /** Remembers words about a defect. Bounded: stale pages could carry any number of them. */
  explain(page: number, inWords: () => string): void {
    if (this.#details.size < 1000) this.#details.set(page, inWords());
  }

  explanationOf(page: number): string | undefined {
    return this.#details.get(page);
  }
}
