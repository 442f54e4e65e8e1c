import { constants, createZstdDecompress } from 'node:zlib';
import { describeThrown, WardenError } from '../errors/warden-error.ts';
import { ByteReader } from './byte-reader.ts';
import { type Bytes, regroup } from './bytes.ts';
import { driveTransform } from './drive-transform.ts';
import { readFrame, skipUserFrame } from './zstd-frame.ts';

/** 128 MiB, zstd's own default limit: what a decoder must hold of a frame's past. Ours need half a MiB. */
const maxWindowLog = 27;

/**
 * Decompresses a file of one or more zstd frames, of whatever sizes. Anything cut off, altered or appended rejects with
 * `object-damaged`, after which nothing that was yielded may be used.
 *
 * Each frame gets a decoder of its own and exactly its own bytes: Node's decoders have ignored bytes after a frame and
 * accepted cut ones, depending on the borders of chunks (nodejs/node#64592, #64741).
 */
export async function* decompressFrames(source: Bytes, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const reader = new ByteReader(regroup(source));
  try {
    if (await reader.ended()) throw new WardenError('object-damaged', 'the compressed data is empty');
    do {
      if (!(await skipUserFrame(reader))) yield* decompressFrame(reader, signal);
    } while (!(await reader.ended()));
  } finally {
    await reader.close();
  }
}

async function* decompressFrame(reader: ByteReader, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const decoder = createZstdDecompress({
    chunkSize: 1024 * 1024,
    params: { [constants.ZSTD_d_windowLogMax]: maxWindowLog },
  });
  try {
    yield* driveTransform(readFrame(reader), decoder, asDamage, signal);
  } finally {
    decoder.destroy();
  }
}

const asDamage = (error: unknown): WardenError =>
  new WardenError('object-damaged', `the compressed data is damaged: ${describeThrown(error)}`, { cause: error });
