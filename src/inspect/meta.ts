import type { ByteSpan } from './byte-span.ts';
import type { DamageList } from './damage.ts';
import { pageHeaderBytes, pageType } from './pages.ts';

/** Sources of these numbers: bbolt internal/common/types.go and meta.go. */
const magic = 0xed0cdaed;
const version = 2;
const checksumAt = 56;
const metaBytes = 64;
const notStored = 0xffff_ffff_ffff_ffffn;

/** bbolt takes the machine's page size: 4 KiB on most, 16 and 64 KiB on some arm64 and ppc64. */
const pageSizes = [1, 2, 4, 8, 16, 32, 64].map((kib) => kib * 1024);

/** Beyond it page ids do not fit the columns; at 4 KiB a page that is 16 TiB. */
const maxPages = 0xffff_fff0;

export interface Meta {
  readonly page: 0 | 1;
  readonly txid: bigint;
  readonly checksum: bigint;
  readonly pageSizeBytes: number;
  readonly rootPage: number;
  /** undefined: not stored, which is usual for etcd (bbolt's NoFreelistSync). */
  readonly freelistPage: number | undefined;
  /** Pages from this one on were never allocated. */
  readonly highWaterMark: number;
}

/** Finds the meta page to go by: of the valid ones that with the higher transaction id. Reports what is wrong with the other. */
export function findLiveMeta(start: ByteSpan, damages: DamageList): Meta | undefined {
  const first = readMeta(start, 0, 0);
  if (typeof first !== 'string') {
    const second = readMeta(start, first.pageSizeBytes, 1);
    if (typeof second !== 'string') return second.txid > first.txid ? second : first;
    damages.add('meta-damaged', 'meta page 1', describeLoss(second, first));
    return first;
  }
  for (const offset of pageSizes) {
    const second = readMeta(start, offset, 1);
    if (typeof second === 'string' || second.pageSizeBytes !== offset) continue;
    damages.add('meta-damaged', 'meta page 0', describeLoss(first, second));
    return second;
  }
  if ([0, ...pageSizes].some((offset) => hasMagic(start, offset))) {
    damages.add('meta-damaged', 'meta page 0', `${first}, and no valid meta page 1 at any page size from 1 to 64 KiB`);
  } else {
    damages.add('not-bolt', 'file', 'no bolt meta page at its start: this is no bolt database');
  }
  return undefined;
}

function describeLoss(problem: string, other: Meta): string {
  return `${problem}; page size ${other.pageSizeBytes}, meta page ${other.page} is valid with txid ${other.txid}`;
}

/** The meta page at `offset`, or what is wrong with it. */
function readMeta({ bytes, view }: ByteSpan, offset: number, page: 0 | 1): Meta | string {
  const at = offset + pageHeaderBytes;
  if (at + metaBytes > bytes.length) return 'the file ends before it';
  if (view.getUint32(at, true) !== magic) return `its magic number is 0x${view.getUint32(at, true).toString(16)}`;
  if (view.getUint32(at + 4, true) !== version) return `its version is ${view.getUint32(at + 4, true)}, not ${version}`;
  if (view.getBigUint64(at + checksumAt, true) !== fnv64a(bytes.subarray(at, at + checksumAt))) {
    return 'its checksum does not match';
  }
  if (view.getBigUint64(offset, true) !== BigInt(page) || view.getUint16(offset + 8, true) !== pageType.meta) {
    return `its page header does not say that it is meta page ${page}`;
  }
  const pageSizeBytes = view.getUint32(at + 8, true);
  if (!pageSizes.includes(pageSizeBytes)) return `its page size ${pageSizeBytes} is no power of two from 1 to 64 KiB`;
  const rootPage = view.getBigUint64(at + 16, true);
  const freelistPage = view.getBigUint64(at + 32, true);
  const highWaterMark = view.getBigUint64(at + 40, true);
  if (highWaterMark > maxPages) return `its high-water mark ${highWaterMark} is beyond any database`;
  if (rootPage < 2n || rootPage >= highWaterMark) return `its root page ${rootPage} is outside 2 … ${highWaterMark}`;
  if (freelistPage !== notStored && freelistPage >= highWaterMark) {
    return `its freelist page ${freelistPage} is above its high-water mark ${highWaterMark}`;
  }
  return {
    page,
    txid: view.getBigUint64(at + 48, true),
    checksum: view.getBigUint64(at + checksumAt, true),
    pageSizeBytes,
    rootPage: Number(rootPage),
    freelistPage: freelistPage === notStored ? undefined : Number(freelistPage),
    highWaterMark: Number(highWaterMark),
  };
}

function hasMagic({ bytes, view }: ByteSpan, offset: number): boolean {
  const at = offset + pageHeaderBytes;
  return at + 4 <= bytes.length && view.getUint32(at, true) === magic;
}

function fnv64a(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}
