import { WardenError } from '../errors/warden-error.ts';
import type { ByteReader } from './byte-reader.ts';

const frameMagic = 0xfd2fb528;
/** Sixteen magics mark frames of user data that decoders pass over. Source: RFC 8878, 3.1.2. */
const isSkippable = (magic: number): boolean => magic >>> 4 === 0x184d2a5;

/** A block never holds more than this of plain data, so eight blocks are at most one of our blocks. Source: RFC 8878, 3.1.1.2. */
const maxBlockBytes = 128 * 1024;
const blocksAtOnce = 8;

export interface FrameHeader {
  /** Of the header itself. */
  readonly sizeBytes: number;
  /** What the frame says it holds, decompressed; undefined if it does not say. */
  readonly contentBytes: number | undefined;
  readonly hasChecksum: boolean;
}

/** The header of the next frame, which stays to be read. Source: RFC 8878, 3.1.1.1. */
export async function readFrameHeader(reader: ByteReader): Promise<FrameHeader> {
  if (littleEndian(await reader.peek(4), 0, 4) !== frameMagic)
    throw damaged('what follows a zstd frame is not another one');
  const descriptor = (await reader.peek(5))[4] ?? 0;
  const singleSegment = (descriptor & 0b10_0000) !== 0;
  const windowBytes = singleSegment ? 0 : 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 0b11] ?? 0;
  if (dictionaryBytes > 0) throw damaged('a zstd frame asks for a dictionary');
  const sizeFlag = descriptor >>> 6;
  const contentSizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 2 ** sizeFlag;
  const contentSizeAt = 4 + 1 + windowBytes;
  const sizeBytes = contentSizeAt + contentSizeBytes;
  const declared = littleEndian(await reader.peek(sizeBytes), contentSizeAt, contentSizeBytes);
  return {
    sizeBytes,
    // Two bytes count from 256, because one byte tells the sizes below.
    contentBytes: contentSizeBytes === 0 ? undefined : declared + (contentSizeBytes === 2 ? 256 : 0),
    hasChecksum: (descriptor & 0b100) !== 0,
  };
}

/**
 * All bytes of the next frame at once; undefined, and nothing taken, if it is larger than a compressor makes it of this
 * content: it could be of any size.
 */
export async function takeWholeFrame(
  reader: ByteReader,
  header: FrameHeader,
  contentBytes: number,
): Promise<Uint8Array | undefined> {
  const limitBytes = header.sizeBytes + contentBytes + contentBytes / 128 + 1024;
  const blocks = await measureBlocks(reader, header, header.sizeBytes, limitBytes);
  return blocks.isLast ? reader.take(blocks.endBytes) : undefined;
}

/**
 * The bytes of the next frame, in groups of whole blocks that expand to at most 1 MiB each: what bounds the memory of
 * whoever decompresses them, whatever the frame contains. Also finds the frame's end to the byte, which decoders that
 * are fed with whatever arrives do not tell reliably. Source: RFC 8878, 3.1.1.
 */
export async function* readFrame(reader: ByteReader, header: FrameHeader): AsyncGenerator<Uint8Array, void> {
  yield await reader.take(header.sizeBytes);
  for (let isLast = false; !isLast;) {
    const blocks = await measureBlocks(reader, header, 0, Number.POSITIVE_INFINITY, blocksAtOnce);
    ({ isLast } = blocks);
    yield await reader.take(blocks.endBytes);
  }
}

/** Where the blocks from `fromBytes` on end: after the last one with its checksum, after `count`, or beyond the limit. */
async function measureBlocks(
  reader: ByteReader,
  { hasChecksum }: FrameHeader,
  fromBytes: number,
  limitBytes: number,
  count = Number.POSITIVE_INFINITY,
): Promise<{ readonly endBytes: number; readonly isLast: boolean }> {
  let endBytes = fromBytes;
  for (let blocks = 0; blocks < count && endBytes <= limitBytes; blocks += 1) {
    const header = littleEndian(await reader.peek(endBytes + 3), endBytes, 3);
    endBytes += 3 + blockBodySizeBytes(header);
    if ((header & 1) === 1) return { endBytes: endBytes + (hasChecksum ? 4 : 0), isLast: true };
  }
  return { endBytes, isLast: false };
}

function blockBodySizeBytes(header: number): number {
  const type = (header >>> 1) & 0b11;
  const sizeBytes = header >>> 3;
  if (type === 3) throw damaged('a zstd block has a type that does not exist');
  const isRunLength = type === 1;
  if (!isRunLength && sizeBytes > maxBlockBytes) throw damaged('a zstd block is longer than blocks can be');
  return isRunLength ? 1 : sizeBytes;
}

/** Passes over a frame of user data, if one comes next. */
export async function skipUserFrame(reader: ByteReader): Promise<boolean> {
  if (!isSkippable(littleEndian(await reader.peek(4), 0, 4))) return false;
  let left = littleEndian(await reader.take(8), 4, 4);
  while (left > 0) left -= (await reader.take(Math.min(left, 1024 * 1024))).length;
  return true;
}

function littleEndian(bytes: Uint8Array, offset: number, length: number): number {
  let value = 0;
  for (let index = length - 1; index >= 0; index -= 1) value = value * 256 + (bytes[offset + index] ?? 0);
  return value;
}

const damaged = (what: string): WardenError =>
  new WardenError('object-damaged', `the compressed data is damaged: ${what}`);
