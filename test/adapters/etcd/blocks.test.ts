import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlockAssembler, blockBytes } from '../../../src/adapters/etcd/blocks.ts';

function drain(assembler: BlockAssembler): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let block = assembler.take(); block !== undefined; block = assembler.take()) blocks.push(block);
  return blocks;
}

test('cuts pieces of any length into blocks of 1 MiB and one shorter one, and loses nothing', () => {
  const pieceLengths = fc.array(fc.integer({ min: 0, max: 700_000 }), { maxLength: 8 });
  fc.assert(
    fc.property(pieceLengths, (lengths) => {
      const assembler = new BlockAssembler();
      const pieces = lengths.map((length, index) => Buffer.alloc(length, index + 1));
      for (const piece of pieces) assembler.append(piece);
      assembler.flush();
      const blocks = drain(assembler);
      for (const block of blocks.slice(0, -1)) expect(block).toHaveLength(blockBytes);
      expect(Buffer.concat(blocks).equals(Buffer.concat(pieces))).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('a block has memory of its own: neither later blocks nor the pieces change it', () => {
  const assembler = new BlockAssembler();
  const piece = Buffer.alloc(blockBytes, 1);
  assembler.append(piece);
  const [first] = drain(assembler);
  piece.fill(2);
  assembler.append(piece);
  const [second] = drain(assembler);
  expect(first?.every((byte) => byte === 1)).toBe(true);
  expect(second?.buffer).not.toBe(first?.buffer);
  expect(second?.buffer.byteLength).toBe(blockBytes);
});

test('nothing is ready before a block is full, and an empty remainder makes no block', () => {
  const assembler = new BlockAssembler();
  assembler.append(Buffer.alloc(blockBytes - 1));
  expect(assembler.readyCount).toBe(0);
  assembler.append(Buffer.alloc(1));
  expect(assembler.readyCount).toBe(1);
  assembler.flush();
  expect(assembler.readyCount).toBe(1);
});
