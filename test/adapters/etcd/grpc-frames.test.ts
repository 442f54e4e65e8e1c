import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { SnapshotResponseSchema } from '../../../src/adapters/etcd/generated/etcd_pb.ts';
import { type SnapshotMessage, SnapshotMessageParser } from '../../../src/adapters/etcd/grpc-frames.ts';
import { framed } from '../../support/raw-grpc-server.ts';

/** Reads pieces and returns what the parser made of them. */
function parse(pieces: readonly Uint8Array[]): {
  messages: SnapshotMessage[];
  blob: Buffer;
  isBetweenMessages: boolean;
} {
  const messages: SnapshotMessage[] = [];
  const blobs: Buffer[] = [];
  const parser = new SnapshotMessageParser({
    onBlob: (piece) => blobs.push(Buffer.from(piece)),
    onMessage: (message) => messages.push(message),
  });
  for (const piece of pieces) parser.push(piece);
  return { messages, blob: Buffer.concat(blobs), isBetweenMessages: parser.isBetweenMessages };
}

const message = (blob: Uint8Array, remainingBytes: bigint, version = '3.6.0'): Buffer => {
  const header = { clusterId: 2n ** 63n + 1n, memberId: 5n, revision: 9n };
  return framed(
    toBinary(SnapshotResponseSchema, create(SnapshotResponseSchema, { header, blob, remainingBytes, version })),
  );
};

const singleBytes = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (byte) => Uint8Array.of(byte));

describe('reading the messages of a snapshot stream', () => {
  test('finds blobs and remaining bytes among fields that it does not need, byte by byte', () => {
    const wire = Buffer.concat([message(Buffer.from('first'), 7n), message(Buffer.from('second!'), 0n, '')]);
    const { messages, blob, isBetweenMessages } = parse(singleBytes(wire));
    expect(messages).toEqual([
      { blobBytes: 5, remainingBytes: 7 },
      { blobBytes: 7, remainingBytes: 0 },
    ]);
    expect(blob.toString()).toBe('firstsecond!');
    expect(isBetweenMessages).toBe(true);
  });

  test('gives the same result wherever the network cuts the bytes', () => {
    const someMessages = fc.array(
      fc.record({ blob: fc.uint8Array({ maxLength: 300 }), remaining: fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }) }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(someMessages, fc.array(fc.nat({ max: 2500 })), (sent, cuts) => {
        const wire = Buffer.concat(sent.map(({ blob, remaining }) => message(blob, remaining)));
        const edges = [0, ...cuts.map((cut) => Math.min(cut, wire.length)).sort((a, b) => a - b), wire.length];
        const { messages, blob } = parse(edges.slice(1).map((end, index) => wire.subarray(edges[index], end)));
        expect(messages).toEqual(
          sent.map((each) => ({ blobBytes: each.blob.length, remainingBytes: Number(each.remaining) })),
        );
        expect(blob).toEqual(Buffer.concat(sent.map((each) => each.blob)));
      }),
    );
  });

  test('skips fields of every wire type that a later etcd may add', () => {
    const blob = [0x1a, 3, 7, 8, 9];
    const varint = [0x28, 0xff, 0x01];
    const fixed64 = [0x31, 1, 2, 3, 4, 5, 6, 7, 8];
    const fixed32 = [0x3d, 1, 2, 3, 4];
    const { messages } = parse(singleBytes(framed(Uint8Array.from([...varint, ...blob, ...fixed64, ...fixed32]))));
    expect(messages).toEqual([{ blobBytes: 3, remainingBytes: 0 }]);
  });

  test('an empty message is a message without bytes', () => {
    expect(parse([framed(new Uint8Array())]).messages).toEqual([{ blobBytes: 0, remainingBytes: 0 }]);
  });

  test('knows that a message is not over yet', () => {
    const wire = message(Buffer.from('blob'), 0n);
    for (let end = 1; end < wire.length; end += 1) expect(parse([wire.subarray(0, end)]).isBetweenMessages).toBe(false);
  });

  test.each([
    ['a compressed message', framed(Uint8Array.of(), 1), /compressed/],
    ['a message of 4 GiB', Buffer.from('00ffffffff', 'hex'), /4294967295 bytes/],
    ['a blob longer than its message', framed(Uint8Array.of(0x1a, 9, 1)), /announces 9 bytes/],
    ['a number that its message cuts off', framed(Uint8Array.of(0x10, 0x80)), /within a number/],
    ['a field that its message cuts off', framed(Uint8Array.of(0x10)), /within field 2/],
    ['a number of more than 64 bits', framed(Buffer.from('10ffffffffffffffffffff01', 'hex')), /64 bits/],
    [
      'remaining bytes beyond what can be counted',
      framed(Buffer.from('10ffffffffffffffffff01', 'hex')),
      /remaining bytes/,
    ],
    ['a blob that is a number', framed(Uint8Array.of(0x18, 1)), /field 3 has wire type 0/],
    ['field number 0', framed(Uint8Array.of(0x02, 0)), /field 0/],
    ['a group, which protobuf gave up', framed(Uint8Array.of(0x2b)), /wire type 3/],
  ])('refuses %s', (_, wire, reason) => {
    for (const pieces of [[wire], singleBytes(wire)]) {
      expect(() => parse(pieces)).toThrow(
        expect.objectContaining({ code: 'etcd-answer-invalid', message: expect.stringMatching(reason) as unknown }),
      );
    }
  });

  test('any bytes at all end in a result or in that error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        try {
          parse([framed(bytes)]);
        } catch (error) {
          expect(error).toMatchObject({ code: 'etcd-answer-invalid' });
        }
      }),
    );
  });
});
