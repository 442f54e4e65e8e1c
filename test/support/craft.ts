import { createHash } from 'node:crypto';

/**
 * Writes bolt databases as bbolt lays them out (internal/common/page.go, meta.go, inode.go), in shapes that no etcd on
 * this machine would make. altered-snapshot.ts beside it does damage to one.
 */
export type Entry = readonly [key: Buffer, value: Buffer];

export interface CraftedBucket {
  readonly name: string;
  /** In key order. */
  readonly entries: readonly Entry[];
}

export interface CraftOptions {
  readonly pageSizeBytes?: number;
  /** Given the number of page runs, the order in which they lie in the file; default: as they are made. */
  readonly order?: (runs: number) => readonly number[];
  /** Free runs, each as long as a stale copy of some page in use, lie between the others. */
  readonly stalePages?: boolean;
  /** Store a freelist that names the free pages. */
  readonly freelist?: boolean;
  /** So many pages are left out behind the meta pages, for the caller to put there; the trailer is then not right. */
  readonly pagesLeftOut?: number;
  /** The root bucket has two leaf pages under a branch page. */
  readonly rootIsBranch?: boolean;
}

export const pageHeaderBytes = 16;
export const elementBytes = 16;
const notStored = 0xffff_ffff_ffff_ffffn;

/** What a page will be; its id and those of its children are known once all are placed. */
interface Run {
  readonly pages: number;
  readonly write: (page: Buffer, id: number) => void;
  id: number;
}

interface Subtree {
  readonly run: Run;
  readonly firstKey: Buffer;
}

/** A whole snapshot with its trailer. */
export function craftSnapshot(buckets: readonly CraftedBucket[], options: CraftOptions = {}): Buffer {
  const pageSize = options.pageSizeBytes ?? 4096;
  const runs: Run[] = [];
  const addRun = (sizeBytes: number, write: Run['write']): Run => {
    const run = { pages: Math.ceil(sizeBytes / pageSize), write, id: 0 };
    runs.push(run);
    return run;
  };
  const headers: { readonly name: Buffer; readonly root: Run | undefined; readonly value: Buffer }[] = [];
  for (const { name, entries } of [...buckets].sort((a, b) =>
    Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  )) {
    const isInline = pageHeaderBytes + sizeOf(entries) <= pageSize / 4;
    const value = Buffer.alloc(16 + (isInline ? pageHeaderBytes + sizeOf(entries) : 0));
    if (isInline)
      writeLeaf(
        value.subarray(16),
        0,
        0,
        entries.map(([key, data]) => ({ key, value: data, flags: 0 })),
      );
    headers.push({
      name: Buffer.from(name),
      root: isInline ? undefined : treeOf(entries, pageSize, addRun).run,
      value,
    });
  }
  const addRootLeaf = (held: typeof headers): Run => {
    const size =
      pageHeaderBytes + held.reduce((sum, { name, value }) => sum + elementBytes + name.length + value.length, 0);
    const run = addRun(size, (page, id) => {
      for (const header of held) header.value.writeBigUInt64LE(BigInt(header.root?.id ?? 0));
      writeLeaf(
        page,
        id,
        run.pages - 1,
        held.map(({ name, value }) => ({ key: name, value, flags: 1 })),
      );
    });
    return run;
  };
  const rootLeaves = (options.rootIsBranch ? [headers.slice(0, 2), headers.slice(2)] : [headers]).map(
    (held): Subtree => ({ run: addRootLeaf(held), firstKey: firstOf(held).name }),
  );
  const root = options.rootIsBranch
    ? addRun(pageSize, (page, id) => writeBranch(page, id, 0, rootLeaves))
    : firstOf(rootLeaves).run;

  const order = options.order?.(runs.length) ?? runs.map((_, i) => i);
  const free: number[] = [];
  const leftOut = options.pagesLeftOut ?? 0;
  let next = 2 + leftOut;
  for (const run of order.map((index) => runs[index]).filter((each) => each !== undefined)) {
    run.id = next;
    next += run.pages;
    if (!options.stalePages) continue;
    for (let page = 0; page < run.pages; page++) free.push(next++);
  }
  const freelistPage = next;
  if (options.freelist) next += Math.ceil((pageHeaderBytes + 8 * free.length) / pageSize);
  const db = Buffer.alloc((next - leftOut) * pageSize);
  const pagesFrom = (id: number, pages?: number): Buffer => {
    const at = (id - leftOut) * pageSize;
    return db.subarray(at, pages === undefined ? undefined : at + pages * pageSize);
  };
  for (const run of runs) {
    const pages = pagesFrom(run.id, run.pages);
    run.write(pages, run.id);
    if (!options.stalePages) continue;
    const stale = pagesFrom(run.id + run.pages, run.pages);
    pages.copy(stale);
    stale.writeBigUInt64LE(BigInt(run.id + run.pages));
  }
  if (options.freelist) writeFreelist(pagesFrom(freelistPage), freelistPage, free, next - freelistPage - 1);
  const freelist = options.freelist ? BigInt(freelistPage) : notStored;
  for (const page of [0, 1]) {
    writeMeta(db.subarray(page * pageSize), page, {
      pageSize,
      root: BigInt(root.id),
      freelist,
      highWaterMark: BigInt(next),
      txid: BigInt(8 - page),
    });
  }
  return withTrailer(db);
}

export function withTrailer(db: Uint8Array): Buffer {
  return Buffer.concat([db, createHash('sha256').update(db).digest()]);
}

export interface MetaFields {
  readonly pageSize: number;
  readonly root: bigint;
  readonly freelist: bigint;
  readonly highWaterMark: bigint;
  readonly txid: bigint;
}

export function readMeta(page: Buffer): MetaFields {
  return {
    pageSize: page.readUInt32LE(24),
    root: page.readBigUInt64LE(32),
    freelist: page.readBigUInt64LE(48),
    highWaterMark: page.readBigUInt64LE(56),
    txid: page.readBigUInt64LE(64),
  };
}

/** Writes a meta page with a right checksum. */
export function writeMeta(page: Buffer, id: number, fields: MetaFields): void {
  writeHeader(page, id, 4, 0, 0);
  page.writeUInt32LE(0xed0cdaed, 16);
  page.writeUInt32LE(2, 20);
  page.writeUInt32LE(fields.pageSize, 24);
  page.writeUInt32LE(0, 28);
  page.writeBigUInt64LE(fields.root, 32);
  page.writeBigUInt64LE(0n, 40);
  page.writeBigUInt64LE(fields.freelist, 48);
  page.writeBigUInt64LE(fields.highWaterMark, 56);
  page.writeBigUInt64LE(fields.txid, 64);
  let hash = 0xcbf29ce484222325n;
  for (const byte of page.subarray(16, 72)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  page.writeBigUInt64LE(hash, 72);
}

const sizeOf = (entries: readonly Entry[]): number =>
  entries.reduce((sum, [key, value]) => sum + elementBytes + key.length + value.length, 0);

function treeOf(
  entries: readonly Entry[],
  pageSize: number,
  addRun: (sizeBytes: number, write: Run['write']) => Run,
): Subtree {
  let level = groups(entries, ([key, value]) => key.length + value.length, pageSize).map((group): Subtree => {
    const run = addRun(pageHeaderBytes + sizeOf(group), (page, id) =>
      writeLeaf(
        page,
        id,
        run.pages - 1,
        group.map(([key, value]) => ({ key, value, flags: 0 })),
      ),
    );
    return { run, firstKey: group[0]?.[0] ?? Buffer.alloc(0) };
  });
  while (level.length > 1) {
    level = groups(level, ({ firstKey }) => firstKey.length, pageSize).map((children): Subtree => {
      const size = children.reduce((sum, { firstKey }) => sum + elementBytes + firstKey.length, pageHeaderBytes);
      const run = addRun(size, (page, id) => writeBranch(page, id, run.pages - 1, children));
      return { run, firstKey: firstOf(children).firstKey };
    });
  }
  return firstOf(level);
}

function firstOf<T>(items: readonly T[]): T {
  const [first] = items;
  if (first === undefined) throw new Error('a page without an element');
  return first;
}

/** As bbolt splits (node.go, splitTwo and splitIndex): not up to four items; else two, and more while they fit and three stay. */
function groups<T>(items: readonly T[], sizeOfItem: (item: T) => number, pageSize: number): T[][] {
  const all: T[][] = [];
  let rest = items;
  while (
    rest.length > 4 &&
    rest.reduce((size, item) => size + elementBytes + sizeOfItem(item), pageHeaderBytes) >= pageSize
  ) {
    let size = pageHeaderBytes;
    let index = 0;
    for (const [i, item] of rest.slice(0, -2).entries()) {
      index = i;
      const next = elementBytes + sizeOfItem(item);
      if (i >= 2 && size + next > pageSize * 0.9) break;
      size += next;
    }
    all.push(rest.slice(0, index));
    rest = rest.slice(index);
  }
  return [...all, [...rest]];
}

function writeHeader(page: Buffer, id: number, flags: number, count: number, overflow: number): void {
  page.writeBigUInt64LE(BigInt(id));
  page.writeUInt16LE(flags, 8);
  page.writeUInt16LE(count, 10);
  page.writeUInt32LE(overflow, 12);
}

function writeLeaf(
  page: Buffer,
  id: number,
  overflow: number,
  elements: readonly { readonly key: Buffer; readonly value: Buffer; readonly flags: number }[],
): void {
  writeHeader(page, id, 2, elements.length, overflow);
  let data = pageHeaderBytes + elements.length * elementBytes;
  elements.forEach(({ key, value, flags }, i) => {
    const at = pageHeaderBytes + i * elementBytes;
    page.writeUInt32LE(flags, at);
    page.writeUInt32LE(data - at, at + 4);
    page.writeUInt32LE(key.length, at + 8);
    page.writeUInt32LE(value.length, at + 12);
    key.copy(page, data);
    value.copy(page, data + key.length);
    data += key.length + value.length;
  });
}

function writeBranch(page: Buffer, id: number, overflow: number, children: readonly Subtree[]): void {
  writeHeader(page, id, 1, children.length, overflow);
  let data = pageHeaderBytes + children.length * elementBytes;
  children.forEach(({ run, firstKey }, i) => {
    const at = pageHeaderBytes + i * elementBytes;
    page.writeUInt32LE(data - at, at);
    page.writeUInt32LE(firstKey.length, at + 4);
    page.writeBigUInt64LE(BigInt(run.id), at + 8);
    firstKey.copy(page, data);
    data += firstKey.length;
  });
}

function writeFreelist(page: Buffer, id: number, free: readonly number[], overflow: number): void {
  writeHeader(page, id, 0x10, free.length, overflow);
  free.forEach((freeId, i) => page.writeBigUInt64LE(BigInt(freeId), pageHeaderBytes + 8 * i));
}
