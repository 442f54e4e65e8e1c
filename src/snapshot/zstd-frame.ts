import { WardenError } from '../errors/warden-error.ts';
import type { ByteReader } from './byte-reader.ts';

const frameMagic = 0xfd2fb528;
/** Sixteen magics mark frames of user data that decoders pass over. Source: RFC 8878, 3.1.2. */
const isSkippable = (magic: number): boolean => magic >>> 4 === 0x184d2a5;

/** A block never holds more than this of plain data, so eight blocks are at most one of our blocks. Source: RFC 8878, 3.1.1.2. */
const blocksAtOnce = 8;

/**
 * The bytes of the next frame, in groups of whole blocks that expand to at most 1 MiB each: what bounds the memory of
 * whoever decompresses them, whatever the frame contains. Also finds the frame's end to the byte, which decoders that
 * are fed with whatever arrives do not tell reliably. Source: RFC 8878, 3.1.1.
 */
export async function* readFrame(reader: ByteReader): AsyncGenerator<Uint8Array, void> {
  if (littleEndian(await reader.peek(4), 0, 4) !== frameMagic)
    throw damaged('what follows a zstd frame is not another one');

  const descriptor = (await reader.peek(5))[4] ?? 0;
  const hasChecksum = (descriptor & 0b100) !== 0;
  yield await reader.take(headerSizeBytes(descriptor));
  for (let last = false; !last;) {
    let sizeBytes = 0;
    for (let blocks = 0; blocks < blocksAtOnce && !last; blocks += 1) {
      const header = littleEndian(await reader.peek(sizeBytes + 3), sizeBytes, 3);
      last = (header & 1) === 1;
      sizeBytes += 3 + blockBodySizeBytes(header);
    }
    if (last && hasChecksum) sizeBytes += 4;
    yield await reader.take(sizeBytes);
  }
}

function headerSizeBytes(descriptor: number): number {
  const singleSegment = (descriptor & 0b10_0000) !== 0;
  const windowBytes = singleSegment ? 0 : 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 0b11] ?? 0;
  if (dictionaryBytes > 0) throw damaged('a zstd frame asks for a dictionary');
  const sizeFlag = descriptor >>> 6;
  const contentSizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 2 ** sizeFlag;
  return 4 + 1 + windowBytes + dictionaryBytes + contentSizeBytes;
}

function blockBodySizeBytes(header: number): number {
  const type = (header >>> 1) & 0b11;
  const sizeBytes = header >>> 3;
  if (type === 3) throw damaged('a zstd block has a type that does not exist');
  const isRunLength = type === 1;
  if (!isRunLength && sizeBytes > 128 * 1024) throw damaged('a zstd block is longer than blocks can be');
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
