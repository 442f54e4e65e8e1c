import { promisify } from 'node:util';
import { constants, createZstdDecompress, zstdDecompress } from 'node:zlib';
import { describeThrown, WardenError } from '../errors/warden-error.ts';
import { ByteReader } from './byte-reader.ts';
import { type Bytes, blockSizeBytes, regroup } from './bytes.ts';
import { driveTransform } from './drive-transform.ts';
import { readFrame, readFrameHeader, skipUserFrame, takeWholeFrame } from './zstd-frame.ts';

/** 128 MiB, zstd's own default limit: what a decoder must hold of a frame's past. Ours need half a MiB. */
const maxWindowLog = 27;

/** A frame that says that it holds no more than this is decompressed in one call. Ours hold 2 MiB. */
const maxWholeBytes = 4 * 1024 * 1024;

const decompress = promisify(zstdDecompress);

/**
 * Decompresses a file of one or more zstd frames, of whatever sizes. Anything cut off, altered or appended rejects with
 * `object-damaged`, after which nothing that was yielded may be used.
 *
 * A block is good until the next one is asked for: then its memory is let go. Whoever needs it longer copies it.
 *
 * Each frame gets a decoder of its own and exactly its own bytes: Node's decoders have ignored bytes after a frame and
 * accepted cut ones, depending on the borders of chunks (nodejs/node#64592, #64741).
 */
export async function* decompressFrames(source: Bytes, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const reader = new ByteReader(regroup(source));
  // One frame is decompressed on another thread while the one before is used here.
  let ahead: Promise<Uint8Array> | undefined;
  try {
    if (await reader.ended()) throw new WardenError('object-damaged', 'the compressed data is empty');
    do {
      signal.throwIfAborted();
      if (await skipUserFrame(reader)) continue;
      const header = await readFrameHeader(reader);
      const { contentBytes } = header;
      const isSmall = contentBytes !== undefined && contentBytes <= maxWholeBytes;
      const frame = isSmall ? await takeWholeFrame(reader, header, contentBytes) : undefined;
      const before = ahead;
      ahead = frame === undefined ? undefined : decompressWhole(frame, contentBytes ?? 0);
      if (before !== undefined) yield* lend(await before);
      if (frame === undefined) yield* decompressPiecewise(readFrame(reader, header), signal);
    } while (!(await reader.ended()));
    if (ahead !== undefined) yield* lend(await ahead);
  } finally {
    await Promise.allSettled([ahead, reader.close()]);
  }
}

function decompressWhole(frame: Uint8Array, contentBytes: number): Promise<Uint8Array> {
  const decompressed = decompress(frame, {
    maxOutputLength: Math.max(contentBytes, 1),
    // One more than comes, so that the decoder need not ask for more room to see that it has ended.
    chunkSize: Math.max(contentBytes + 1, 64),
  }).catch((error: unknown) => {
    throw asDamage(error);
  });
  // It is awaited in its turn; until then a failure must not count as unhandled.
  decompressed.catch(() => undefined);
  return decompressed;
}

/**
 * Left to the garbage collector, the blocks of a large snapshot cost a third of the time of reading it. Small ones may lie
 * in memory that Node shares among buffers.
 */
function* lend(content: Uint8Array): Generator<Uint8Array, void> {
  if (content.length > 0) yield content;
  const { buffer } = content;
  if (content.length >= blockSizeBytes && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

async function* decompressPiecewise(frame: Bytes, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const decoder = createZstdDecompress({
    chunkSize: blockSizeBytes,
    params: { [constants.ZSTD_d_windowLogMax]: maxWindowLog },
  });
  try {
    yield* driveTransform(frame, decoder, asDamage, signal);
  } finally {
    decoder.destroy();
  }
}

const asDamage = (error: unknown): WardenError =>
  new WardenError('object-damaged', `the compressed data is damaged: ${describeThrown(error)}`, { cause: error });
