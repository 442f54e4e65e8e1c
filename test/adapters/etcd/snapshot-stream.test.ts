import { status as grpcStatus } from '@grpc/grpc-js';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { describe, expect, test } from 'vitest';
import { collect } from '../../support/byte-streams.ts';
import { type FakeAnswers, refusal, snapshotMessages, startFakeEtcd, withTrailer } from '../../support/fake-etcd.ts';
import { framed, grpcHeaders, startRawGrpcServer } from '../../support/raw-grpc-server.ts';
import { memberAt, never } from './connect.ts';

const idleTimeoutMs = 5_000;
const database = Buffer.alloc(3_000_000, 'some pages');

/** Opens the snapshot that `answer` sends and reads it to its end. */
async function readSnapshot(answer: FakeAnswers['snapshot'], idleMs = idleTimeoutMs): Promise<Buffer> {
  await using fake = await startFakeEtcd({ snapshot: answer });
  await using member = memberAt(fake.endpoint);
  await using stream = await member.openSnapshot({ idleTimeoutMs: idleMs }, never);
  return await collect(stream);
}

describe('a snapshot stream', () => {
  test('comes in blocks of 1 MiB, the last one shorter', async () => {
    await using fake = await startFakeEtcd({
      snapshot: async (send) => {
        for (const message of snapshotMessages(database)) await send(message);
      },
    });
    await using member = memberAt(fake.endpoint);
    await using stream = await member.openSnapshot({ idleTimeoutMs }, never);
    const blocks: Uint8Array[] = [];
    for await (const block of stream) blocks.push(Uint8Array.from(block));
    expect(blocks.map((block) => block.length)).toEqual([1_048_576, 1_048_576, 3_000_032 - 2 * 1_048_576]);
    expect(Buffer.concat(blocks).equals(withTrailer(database))).toBe(true);
    expect(stream.totalBytes).toBe(3_000_032);
  });

  // field: F004
  test('that ends early with status OK is too short', async () => {
    const ended = readSnapshot((send) => send({ blob: Buffer.alloc(4096), remainingBytes: 12_288n }));
    await expect(ended).rejects.toMatchObject({
      code: 'stream-short',
      message: expect.stringMatching(/4096 of 16416 bytes/) as unknown,
    });
  });

  test('without its trailer is too short', async () => {
    const ended = readSnapshot(async (send) => {
      for (const message of [...snapshotMessages(database)].slice(0, -1)) await send(message);
    });
    await expect(ended).rejects.toMatchObject({ code: 'stream-short' });
  });

  test('that ends before its first message is too short', async () => {
    await expect(readSnapshot(() => Promise.resolve())).rejects.toMatchObject({ code: 'stream-short' });
  });

  test('with one byte more than announced is too long', async () => {
    const ended = readSnapshot(async (send) => {
      for (const message of snapshotMessages(database)) await send(message);
      await send({ blob: Buffer.alloc(1) });
    });
    await expect(ended).rejects.toMatchObject({ code: 'stream-too-long' });
  });

  // field: F006
  test('of endless empty messages has stalled', async () => {
    const ended = readSnapshot(async (send) => {
      await send({ blob: Buffer.alloc(4096), remainingBytes: 12_288n });
      for (;;) await send({ remainingBytes: 12_288n });
    }, 300);
    await expect(ended).rejects.toMatchObject({ code: 'stream-stalled' });
  });

  test('that never begins has stalled', async () => {
    const ended = readSnapshot(() => new Promise(() => undefined), 200);
    await expect(ended).rejects.toMatchObject({ code: 'stream-stalled' });
  });

  test('may take any time as long as bytes come', async () => {
    const bytes = await readSnapshot(async (send) => {
      for (const message of snapshotMessages(Buffer.alloc(8 * 32_768, 1))) {
        await send(message);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }, 1_000);
    expect(bytes).toHaveLength(8 * 32_768 + 32);
  });

  test('does not count time in which the consumer does not read', async () => {
    await using fake = await startFakeEtcd({
      snapshot: async (send) => {
        for (const message of snapshotMessages(Buffer.alloc(24 * 1024 * 1024, 1))) await send(message);
      },
    });
    await using member = memberAt(fake.endpoint);
    await using stream = await member.openSnapshot({ idleTimeoutMs: 1_000 }, never);
    let blocks = 0;
    for await (const _ of stream) {
      blocks += 1;
      if (blocks === 1) await new Promise((resolve) => setTimeout(resolve, 1_500));
    }
    expect(blocks).toBe(25);
  });

  // field: F061
  test('makes the member wait while the consumer does not read', async () => {
    let sentBytes = 0;
    const blob = Buffer.alloc(32_768);
    await using fake = await startFakeEtcd({
      snapshot: async (send) => {
        for (;;) {
          await send({ blob, remainingBytes: 2n ** 40n });
          sentBytes += blob.length;
        }
      },
    });
    await using member = memberAt(fake.endpoint);
    await using _stream = await member.openSnapshot({ idleTimeoutMs }, never);
    for (let before = -1; before !== sentBytes;) {
      before = sentBytes;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    // The window of 8 MiB, two blocks, and what sockets and libraries hold.
    expect(sentBytes).toBeLessThan(24 * 1024 * 1024);
  });

  test('that fails in the middle was interrupted, and the message says why', async () => {
    const ended = readSnapshot(async (send) => {
      await send({ blob: Buffer.alloc(4096), remainingBytes: 12_288n });
      throw refusal(grpcStatus.UNAVAILABLE, 'etcdserver: server stopped');
    });
    await expect(ended).rejects.toMatchObject({
      code: 'stream-interrupted',
      message: expect.stringMatching(/4096 of 16416 bytes: .*server stopped/) as unknown,
    });
  });

  test('that is refused at once has the error of the refusal, and is asked for once', async () => {
    await using fake = await startFakeEtcd({
      snapshot: () => Promise.reject(refusal(grpcStatus.PERMISSION_DENIED, 'etcdserver: permission denied')),
    });
    await using member = memberAt(fake.endpoint);
    await expect(member.openSnapshot({ idleTimeoutMs }, never)).rejects.toMatchObject({
      code: 'etcd-permission-denied',
    });
    expect(fake.calls).toHaveLength(1);
  });

  const endings: readonly (readonly [
    string,
    (consume: AsyncIterable<Uint8Array>, stop: AbortController) => Promise<unknown>,
  ])[] = [
    [
      'leaving the iteration',
      async (stream) => {
        for await (const _ of stream) break;
      },
    ],
    [
      'an error of the consumer',
      async (stream) => {
        for await (const _ of stream) throw new Error('disk full');
      },
    ],
    [
      'an abort',
      async (stream, stop) => {
        for await (const _ of stream) stop.abort();
      },
    ],
  ];
  test.each(endings)('is cancelled on the server by %s', async (_, leave) => {
    const { promise: wasCancelled, resolve } = Promise.withResolvers<void>();
    await using fake = await startFakeEtcd({
      snapshot: async (send, cancelled) => {
        cancelled.addEventListener('abort', () => resolve());
        for (;;) await send({ blob: Buffer.alloc(32_768), remainingBytes: 2n ** 40n });
      },
    });
    await using member = memberAt(fake.endpoint);
    const stop = new AbortController();
    const stream = await member.openSnapshot({ idleTimeoutMs }, stop.signal);
    await leave(stream, stop).catch(() => undefined);
    await expect(wasCancelled).resolves.toBeUndefined();
  });

  test('an abort rejects the read that waits, with the reason that was given', async () => {
    await using fake = await startFakeEtcd({
      snapshot: async (send) => {
        await send({ blob: Buffer.alloc(4096), remainingBytes: 12_288n });
        await new Promise(() => undefined);
      },
    });
    await using member = memberAt(fake.endpoint);
    const stop = new AbortController();
    await using stream = await member.openSnapshot({ idleTimeoutMs }, stop.signal);
    const read = collect(stream);
    stop.abort();
    await expect(read).rejects.toMatchObject({ code: 'interrupted' });
  });

  test('can be read once only', async () => {
    await using fake = await startFakeEtcd();
    await using member = memberAt(fake.endpoint);
    await using stream = await member.openSnapshot({ idleTimeoutMs }, never);
    await collect(stream);
    await expect(collect(stream)).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('a server that does not keep to gRPC', () => {
  const firstMessage = framed(Buffer.from('1080201a03010203', 'hex'));
  const begin = (stream: ServerHttp2Stream): void => {
    stream.respond(grpcHeaders);
    stream.write(firstMessage);
  };
  const cases: readonly (readonly [string, string, RegExp, (stream: ServerHttp2Stream) => unknown])[] = [
    [
      'compresses',
      'etcd-answer-invalid',
      /compressed/,
      (stream) => {
        stream.respond(grpcHeaders);
        stream.write(framed(Buffer.of(1), 1));
      },
    ],
    [
      'ends without trailers',
      'stream-interrupted',
      /without a gRPC status/,
      (stream) => {
        begin(stream);
        stream.end();
      },
    ],
    [
      'answers with HTTP 503',
      'etcd-unreachable',
      /HTTP status 503/,
      (stream) => stream.respond({ ':status': 503 }, { endStream: true }),
    ],
    [
      'resets the stream',
      'stream-interrupted',
      /3 of 4131 bytes/,
      (stream) => {
        begin(stream);
        setImmediate(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
      },
    ],
    [
      'drops the connection',
      'stream-interrupted',
      /3 of 4131 bytes/,
      (stream) => {
        begin(stream);
        setImmediate(() => stream.session?.destroy());
      },
    ],
    [
      'gives the connection up',
      'stream-interrupted',
      /3 of 4131 bytes/,
      (stream) => {
        begin(stream);
        setImmediate(() => stream.session?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM));
      },
    ],
  ];
  test.each(cases)('and %s ends the stream with %s', async (_, code, message, answer) => {
    await using server = await startRawGrpcServer(answer);
    await using member = memberAt(server.endpoint);
    const read = async (): Promise<Buffer> => {
      await using stream = await member.openSnapshot({ idleTimeoutMs }, never);
      return await collect(stream);
    };
    await expect(read()).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown });
  });
});
