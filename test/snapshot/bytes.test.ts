import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockSizeBytes, regroup, Tally } from '../../src/snapshot/bytes.ts';
import { bytesOf, collect, cutInto } from '../support/byte-streams.ts';

describe('regroup', () => {
  it('makes blocks of one size of any chunks, the last one shorter, none of them empty', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300, size: 'max' }),
        fc.array(fc.nat(40), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 50 }),
        async (bytes, sizes, blockBytes) => {
          const blocks: Uint8Array[] = [];
          for await (const block of regroup(bytesOf(...cutInto(bytes, sizes), new Uint8Array(0)), blockBytes))
            blocks.push(block);
          expect(Buffer.concat(blocks)).toEqual(Buffer.from(bytes));
          expect(blocks.slice(0, -1).every((block) => block.length === blockBytes)).toBe(true);
          expect(blocks.every((block) => block.length > 0 && block.length <= blockBytes)).toBe(true);
        },
      ),
    );
  });

  it('hands on a block that has the right size already without copying it', async () => {
    const block = randomBytes(blockSizeBytes);
    for await (const handedOn of regroup(bytesOf(block))) expect(handedOn.buffer).toBe(block.buffer);
  });
});

describe('a tally', () => {
  it('counts and hashes what flows through it, unchanged', async () => {
    const bytes = randomBytes(5000);
    const tally = new Tally();
    expect(await collect(tally.through(bytesOf(...cutInto(bytes, [1, 999]))))).toEqual(bytes);
    expect(tally.sizeBytes).toBe(5000);
    expect(tally.sha256()).toBe(createHash('sha256').update(bytes).digest('hex'));
  });
});
