import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type ExpectedSealing, openSealed } from '../../src/snapshot/open.ts';

import { bytesOf, collect, cutInto } from '../support/byte-streams.ts';
import { wardenError } from '../support/errors.ts';
import { context, everyWayWith, openWith, sealed, useSealingKeys } from '../support/sealing.ts';

const { signal } = new AbortController();
const keys = useSealingKeys();
const everyWay = everyWayWith(keys);
const open = (
  bytes: Uint8Array,
  expected: ExpectedSealing,
  providers = [keys.key],
  sizes?: readonly number[],
): Promise<Buffer> => openWith(bytes, expected, providers, sizes);

describe('opening', () => {
  it.each(everyWay)(
    'what is stored as %s releases its source when the reader leaves early',
    async (_suffix, sealing) => {
      const stored = await sealed(randomBytes(3 * 1024 * 1024), sealing());
      let released = false;
      async function* source(): AsyncGenerator<Uint8Array, void> {
        try {
          yield* cutInto(stored.bytes, [32 * 1024]);
        } finally {
          released = true;
        }
      }
      for await (const block of openSealed(source(), stored.expected, [keys.key], signal)) if (block.length > 0) break;
      expect(released).toBe(true);
    },
  );

  it.each(everyWay)(
    'what is stored as %s hands on an error of its source, and stops with the run',
    async (_suffix, sealing) => {
      const stored = await sealed(randomBytes(3 * 1024 * 1024), sealing());
      async function* failing(): AsyncGenerator<Uint8Array, void> {
        yield stored.bytes.subarray(0, 1_500_000);
        throw new Error('the store is gone');
      }
      await expect(collect(openSealed(failing(), stored.expected, [keys.key], signal))).rejects.toThrow(
        'the store is gone',
      );
      const stopped = AbortSignal.abort(new Error('told to stop'));
      const opening = collect(openSealed(bytesOf(stored.bytes), stored.expected, [keys.key], stopped));
      await expect(opening).rejects.toThrow('told to stop');
    },
  );
});

describe('formats that were not expected', () => {
  const plain = Buffer.concat([Buffer.alloc(16), Buffer.from('edda0ced', 'hex'), Buffer.alloc(4076)]);
  const limits = { maxPlaintextBytes: 100_000 };

  // field: F132
  it('are named: raw data under a compressed name', async () => {
    const error = wardenError('format-mismatch', 'expected zstd data, found a bolt database');
    await expect(open(plain, { compression: 'zstd', encryption: 'none', limits })).rejects.toEqual(error);
  });

  // field: F138
  it('are named: plain data where a sealed message should be', async () => {
    const error = wardenError('format-mismatch', 'expected an AWS Encryption SDK message, found a bolt database');
    await expect(open(plain, { compression: 'none', encryption: { context }, limits })).rejects.toEqual(error);
  });

  // field: F009
  it('are named: an archive where a plain snapshot should be', async () => {
    const error = wardenError('format-mismatch', 'gzip data');
    await expect(open(gzipSync(plain), { compression: 'none', encryption: 'none', limits })).rejects.toEqual(error);
    const asFound = { compression: 'as-found', encryption: 'none', limits } as const;
    await expect(open(gzipSync(plain), asFound)).rejects.toEqual(error);
  });
});
