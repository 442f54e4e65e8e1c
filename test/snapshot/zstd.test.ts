import { randomBytes } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressFrames } from '../../src/snapshot/zstd-compress.ts';
import { decompressFrames } from '../../src/snapshot/zstd-decompress.ts';
import { bytesOf, collect, cutInto } from '../support/byte-streams.ts';
import { wardenError } from '../support/errors.ts';

const { signal } = new AbortController();
const damaged = wardenError('object-damaged');

const compress = (bytes: Uint8Array): Promise<Buffer> => collect(compressFrames(bytesOf(bytes), 1, signal));
const decompress = (...chunks: readonly Uint8Array[]): Promise<Buffer> =>
  collect(decompressFrames(bytesOf(...chunks), signal));

/** A frame with its content's checksum, as our own frames have. */
const frame = (content: string | Uint8Array): Buffer =>
  zstdCompressSync(content, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });

/** Eleven and a half megabytes: three frames, of which the last is short; half of it compresses. */
const large = Buffer.concat([
  randomBytes(4_000_000),
  Buffer.alloc(3_500_000, 'registry/pods/'),
  randomBytes(4_000_000),
]);

describe('zstd frames', () => {
  it('come back as they went in', async () => {
    expect((await decompress(await compress(large))).equals(large)).toBe(true);
  });

  it('each say how much they hold and carry a checksum of it', async () => {
    const [descriptor] = (await compress(Buffer.alloc(100_000))).subarray(4);
    expect((descriptor ?? 0) & 0b100).toBe(0b100);
    expect((descriptor ?? 0) >>> 5).not.toBe(0);
  });

  it('are one empty frame for no input', async () => {
    const empty = await compress(new Uint8Array(0));
    expect(zstdDecompressSync(empty)).toHaveLength(0);
    expect(await decompress(empty)).toHaveLength(0);
  });

  // field: F130
  it('are all read, whatever the borders of the chunks that they come in', async () => {
    const content = randomBytes(3000);
    const frames = Buffer.concat([frame(content.subarray(0, 1000)), frame(''), frame(content.subarray(1000))]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 10 }), async (sizes) => {
        expect(await decompress(...cutInto(frames, sizes))).toEqual(content);
      }),
    );
    expect(await decompress(...cutInto(frames, [1]))).toEqual(content);
  });

  it('may be one large frame without a declared size, as other tools write it', async () => {
    const single = zstdCompressSync(large);
    expect((await decompress(single)).equals(large)).toBe(true);
  });

  it('may be separated by frames of user data, which are passed over', async () => {
    const user = Buffer.concat([Buffer.from('512a4d1805000000', 'hex'), Buffer.from('hello')]);
    expect((await decompress(user, frame('one'), user, frame('two'), user)).toString()).toBe('onetwo');
  });

  // field: F129
  it('are refused wherever they were cut', async () => {
    const content = randomBytes(600);
    const whole = frame(content);
    for (let length = 0; length < whole.length; length += 1) {
      await expect(decompress(whole.subarray(0, length)), `cut to ${length}`).rejects.toEqual(damaged);
    }
    for (const missing of [1, 4, 1000, 5_000_000]) {
      const compressed = await compress(large);
      await expect(decompress(compressed.subarray(0, -missing))).rejects.toEqual(damaged);
    }
  });

  it.each([[1], [3], [4], [100]])('are refused with %i bytes after them', async (count) => {
    await expect(decompress(Buffer.concat([frame('content'), Buffer.alloc(count, 7)]))).rejects.toEqual(damaged);
  });

  it('are refused, or read as they were, with any bit flipped', async () => {
    const content = randomBytes(200);
    const whole = frame(content);
    let refused = 0;
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const altered = Buffer.from(whole);
      altered[bit >>> 3] = (altered[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      const outcome = await decompress(altered).catch((error: unknown) => error);
      if (outcome instanceof Error) {
        expect(outcome, `bit ${bit}`).toEqual(damaged);
        refused += 1;
      } else {
        expect(outcome, `bit ${bit}`).toEqual(content);
      }
    }
    expect(refused).toBeGreaterThan(200 * 8);
  });

  it('are refused when they need a dictionary or a window beyond 128 MiB', async () => {
    const withDictionary = frame('content');
    withDictionary[4] = (withDictionary[4] ?? 0) | 1;
    await expect(decompress(withDictionary)).rejects.toEqual(wardenError('object-damaged', 'dictionary'));
    const hugeWindow = Buffer.from('28b52ffd00a0010000', 'hex');
    await expect(decompress(hugeWindow)).rejects.toEqual(damaged);
  });

  it('expand a little at a time, so that a few bytes cannot fill the memory', async () => {
    const bomb = zstdCompressSync(Buffer.alloc(256 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(30_000);
    let largest = 0;
    let held = 0;
    const before = process.memoryUsage().arrayBuffers;
    for await (const block of decompressFrames(bytesOf(bomb), signal)) {
      largest = Math.max(largest, block.length);
      held = Math.max(held, process.memoryUsage().arrayBuffers - before);
    }
    expect(largest).toBeLessThanOrEqual(1024 * 1024);
    expect(held).toBeLessThan(100 * 1024 * 1024);
  });

  it('lend a block until the next is asked for, so that a large snapshot needs no garbage collector', async () => {
    const lent: Uint8Array[] = [];
    for await (const block of decompressFrames(bytesOf(await compress(large)), signal)) {
      expect(block.length).toBeGreaterThan(0);
      lent.push(block);
    }
    // The last frame is short; what it holds may lie in memory that Node shares among buffers.
    expect(lent.slice(0, -1).map((block) => block.length)).toEqual(lent.slice(0, -1).map(() => 0));
    expect(lent.length).toBeGreaterThan(5);
  });

  it('that hold more than they say, or less, are refused', async () => {
    const honest = frame(Buffer.alloc(1000, 'abc'));
    for (const declared of [999, 1001, 256, 60_000]) {
      const lying = Buffer.from(honest);
      // A single segment with a content size of two bytes, counted from 256. Source: RFC 8878, 3.1.1.1.
      expect(lying.readUInt8(4) >>> 5).toBe(0b011);
      lying.writeUInt16LE(declared - 256, 5);
      await expect(decompress(lying), `${declared}`).rejects.toEqual(damaged);
    }
  });

  it('may be longer than what they hold: then they are read piece by piece', async () => {
    // A frame of one byte that says so, after 5,000 empty blocks. Source: RFC 8878, 3.1.1.2.
    const header = Buffer.from('28b52ffd2001', 'hex');
    const padded = Buffer.concat([header, Buffer.alloc(3 * 5000), Buffer.from([0b1001, 0, 0, 0x61])]);
    expect((await decompress(padded)).toString()).toBe('a');
  });

  it('stop at once when the run is stopped', async () => {
    const stopped = AbortSignal.abort(new Error('told to stop'));
    await expect(collect(compressFrames(bytesOf(large), 1, stopped))).rejects.toThrow('told to stop');
    await expect(collect(decompressFrames(bytesOf(await compress(large)), stopped))).rejects.toThrow('told to stop');
  });

  it('hand on an error of their source as it is', async () => {
    async function* failing(): AsyncGenerator<Uint8Array, void> {
      yield frame('content').subarray(0, 10);
      throw new Error('the store is gone');
    }
    await expect(collect(decompressFrames(failing(), signal))).rejects.toThrow('the store is gone');
    await expect(collect(compressFrames(failing(), 1, signal))).rejects.toThrow('the store is gone');
  });
});
