import { elementBytes, pageHeaderBytes, readMeta, withTrailer, writeMeta, type MetaFields } from './craft.ts';

/** A copy of a snapshot whose pages can be altered; `snapshot()` puts a right trailer behind them. */
export class AlteredSnapshot {
  readonly db: Buffer;
  readonly pageSize: number;

  constructor(snapshot: Uint8Array) {
    this.db = Buffer.from(snapshot.subarray(0, -32));
    this.pageSize = readMeta(this.db).pageSize;
  }

  get meta(): MetaFields {
    return readMeta(this.db);
  }

  page(id: number): Buffer {
    return this.db.subarray(id * this.pageSize, (id + 1) * this.pageSize);
  }

  /** Both meta pages as one change would leave them. */
  changeMeta(change: Partial<MetaFields>): void {
    for (const id of [0, 1]) writeMeta(this.page(id), id, { ...readMeta(this.page(id)), ...change });
  }

  /** Pages in use or free that say they are of this type (1 branch, 2 leaf). */
  pagesOfType(flags: number): number[] {
    const ids = Array.from({ length: this.db.length / this.pageSize }, (_, id) => id);
    return ids.filter(
      (id) => id > 1 && this.page(id).readBigUInt64LE() === BigInt(id) && this.page(id).readUInt16LE(8) === flags,
    );
  }

  /** Root page of a bucket that is not inline. */
  bucketRoot(name: string): number {
    const root = this.page(Number(this.meta.root));
    for (let i = 0; i < root.readUInt16LE(10); i++) {
      const element = pageHeaderBytes + i * elementBytes;
      const key = element + root.readUInt32LE(element + 4);
      const end = key + root.readUInt32LE(element + 8);
      if (root.toString('latin1', key, end) === name) return Number(root.readBigUInt64LE(end));
    }
    throw new Error(`no bucket ${name} in the root page`);
  }

  snapshot(): Buffer {
    return withTrailer(this.db);
  }
}

/** Position of the id of a branch page's child within the page. */
export const childIdAt = (index: number): number => pageHeaderBytes + index * elementBytes + 8;
