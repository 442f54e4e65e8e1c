const rowBits = 16;
const rowsPerChunk = 1 << rowBits;
const rowMask = rowsPerChunk - 1;

/** Columns of 65,536 entries of bucket `key`, 26 bytes an entry. */
class EntryChunk {
  readonly main = new Float64Array(rowsPerChunk);
  readonly crc = new Uint32Array(rowsPerChunk);
  /** Bytes of key and value; the top bit says tombstone. */
  readonly length = new Uint32Array(rowsPerChunk);
  readonly keyHashLow = new Uint32Array(rowsPerChunk);
  readonly keyHashHigh = new Uint32Array(rowsPerChunk);
  readonly label = new Uint16Array(rowsPerChunk);
}

const tombstoneBit = 0x8000_0000;

/** 96 MiB: 3.8 million entries. Past it HashKV and live keys stay unknown and everything else goes on. */
const defaultBudgetBytes = 96 << 20;
const bytesPerEntry = 26;

/** A record for each entry that might belong to bucket `key`: what HashKV needs to leave an entry out. */
export class EntrySummaries {
  readonly #chunks: EntryChunk[] = [];
  readonly #maxEntries: number;
  #count = 0;

  constructor(budgetBytes = defaultBudgetBytes) {
    this.#maxEntries = Math.floor(budgetBytes / (rowsPerChunk * bytesPerEntry)) * rowsPerChunk;
  }

  get count(): number {
    return this.#count;
  }

  /** False once the budget is used up: nothing was recorded. */
  append(
    main: number,
    crc: number,
    lengthBytes: number,
    isTombstone: boolean,
    keyHashLow: number,
    keyHashHigh: number,
    label: number,
  ): boolean {
    if (this.#count >= this.#maxEntries) return false;
    const chunk = (this.#chunks[this.#count >>> rowBits] ??= new EntryChunk());
    const row = this.#count++ & rowMask;
    chunk.main[row] = main;
    chunk.crc[row] = crc;
    chunk.length[row] = isTombstone ? lengthBytes | tombstoneBit : lengthBytes;
    chunk.keyHashLow[row] = keyHashLow;
    chunk.keyHashHigh[row] = keyHashHigh;
    chunk.label[row] = label;
    return true;
  }

  /** Forgets every entry from number `count` on. */
  truncate(count: number): void {
    this.#count = count;
  }

  main(entry: number): number {
    return this.#chunkOf(entry).main[entry & rowMask]!;
  }
  crc(entry: number): number {
    return this.#chunkOf(entry).crc[entry & rowMask]!;
  }
  lengthBytes(entry: number): number {
    return this.#chunkOf(entry).length[entry & rowMask]! & ~tombstoneBit;
  }
  isTombstone(entry: number): boolean {
    return this.#chunkOf(entry).length[entry & rowMask]! >= tombstoneBit;
  }
  keyHashLow(entry: number): number {
    return this.#chunkOf(entry).keyHashLow[entry & rowMask]!;
  }
  keyHashHigh(entry: number): number {
    return this.#chunkOf(entry).keyHashHigh[entry & rowMask]!;
  }
  label(entry: number): number {
    return this.#chunkOf(entry).label[entry & rowMask]!;
  }

  #chunkOf(entry: number): EntryChunk {
    return this.#chunks[entry >>> rowBits]!;
  }
}
