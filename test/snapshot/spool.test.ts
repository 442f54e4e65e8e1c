import { randomBytes } from 'node:crypto';
import { watch } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSpool } from '../../src/snapshot/spool.ts';
import { bytesOf, collect, cutInto } from '../support/byte-streams.ts';
import { wardenError } from '../support/errors.ts';

const { signal } = new AbortController();
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'etcd-warden-spool-test-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A source that tells how far it was read. */
function counted(chunks: readonly Uint8Array[]) {
  const state = { readBytes: 0, ended: Promise.withResolvers<void>(), released: false };
  async function* bytes(): AsyncGenerator<Uint8Array, void> {
    try {
      for (const chunk of chunks) {
        state.readBytes += chunk.length;
        yield chunk;
      }
      state.ended.resolve();
    } finally {
      state.released = true;
    }
  }
  return { state, bytes: bytes() };
}

/** Resolves once everything that can go on without outside events has done so. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('a spool', () => {
  const anyBytes = fc.uint8Array({ minLength: 1, maxLength: 2000, size: 'max' });
  const anyChunkSizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 });
  const anySpoolSize = fc.integer({ min: 1, max: 500 });

  it('hands on every byte in order to a reader that keeps up', async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, anyChunkSizes, anySpoolSize, async (bytes, sizes, maxSizeBytes) => {
        await using spool = await openSpool({ directory, maxSizeBytes });
        const received = await collect(spool.through(bytesOf(...cutInto(bytes, sizes)), signal));
        expect(received).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 40 },
    );
  });

  it('hands on every byte in order to a reader that lets it fill before each read', async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, anyChunkSizes, anySpoolSize, async (bytes, sizes, maxSizeBytes) => {
        const source = counted(cutInto(bytes, sizes));
        await using spool = await openSpool({ directory, maxSizeBytes });
        const received: Uint8Array[] = [];
        let receivedBytes = 0;
        for await (const block of spool.through(source.bytes, signal)) {
          received.push(block);
          receivedBytes += block.length;
          await until(() => source.state.released || source.state.readBytes - receivedBytes > maxSizeBytes);
        }
        expect(Buffer.concat(received)).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 40 },
    );
  });

  it('lets its source end while the reader still stands at the first block', async () => {
    const content = randomBytes(4_000_000);
    const source = counted(cutInto(content, [100_000]));
    await using spool = await openSpool({ directory, maxSizeBytes: content.length });
    const reader = spool.through(source.bytes, signal)[Symbol.asyncIterator]();
    const first = await reader.next();
    await source.state.ended.promise;
    const received = [first.value as Uint8Array];
    for (let next = await reader.next(); next.done !== true; next = await reader.next()) received.push(next.value);
    expect(Buffer.concat(received).equals(content)).toBe(true);
  });

  it('makes its source wait once it holds as much as it may', async () => {
    const source = counted(cutInto(randomBytes(1_000_000), [10_000]));
    await using spool = await openSpool({ directory, maxSizeBytes: 95_000 });
    const reader = spool.through(source.bytes, signal)[Symbol.asyncIterator]();
    await reader.next();
    await until(() => source.state.readBytes >= 110_000);
    for (let round = 0; round < 200; round += 1) await new Promise((resolve) => setImmediate(resolve));
    // One block was read, 95,000 bytes are held, and the block that does not fit whole is in the source's hands.
    expect(source.state.readBytes).toBe(110_000);
    await reader.return?.();
    await until(() => source.state.released);
  });

  it('leaves no file behind that has a name, not even while it is open', async () => {
    await using spool = await openSpool({ directory, maxSizeBytes: 1000 });
    expect(await readdir(directory)).toEqual([]);
    expect(await collect(spool.through(bytesOf(Buffer.from('sealed')), signal))).toEqual(Buffer.from('sealed'));
  });

  // field: F156
  it('gives its file no name in the first place, so that a kill at any moment leaves nothing', async () => {
    const names: (string | null)[] = [];
    const seen = Promise.withResolvers<void>();
    const watcher = watch(directory, (_, name) => {
      names.push(name);
      if (name === 'behind it') seen.resolve();
    });
    await using spool = await openSpool({ directory, maxSizeBytes: 1000 });
    await collect(spool.through(bytesOf(Buffer.from('sealed')), signal));
    // Events come in order.
    await writeFile(join(directory, 'behind it'), '');
    await seen.promise;
    watcher.close();
    await rm(join(directory, 'behind it'));
    expect(names.filter((name) => name !== 'behind it')).toEqual([]);
  });

  it('passes an error of its source on after the bytes before it', async () => {
    async function* failing(): AsyncGenerator<Uint8Array, void> {
      yield Buffer.from('sealed');
      throw new Error('the member is gone');
    }
    await using spool = await openSpool({ directory, maxSizeBytes: 1000 });
    const received: Uint8Array[] = [];
    const reading = async (): Promise<void> => {
      for await (const block of spool.through(failing(), signal)) received.push(block);
    };
    await expect(reading()).rejects.toThrow('the member is gone');
    expect(Buffer.concat(received).toString()).toBe('sealed');
  });

  it('ends when the run is stopped, also while its source waits for room', async () => {
    const controller = new AbortController();
    const source = counted(cutInto(randomBytes(100_000), [1000]));
    await using spool = await openSpool({ directory, maxSizeBytes: 5000 });
    const reader = spool.through(source.bytes, controller.signal)[Symbol.asyncIterator]();
    await reader.next();
    await until(() => source.state.readBytes >= 7000);
    controller.abort(new Error('told to stop'));
    await expect(reader.next()).rejects.toThrow('told to stop');
    await until(() => source.state.released);
  });

  it('ends when the run is stopped while nothing comes from its source', async () => {
    const controller = new AbortController();
    const silent = Promise.withResolvers<void>();
    async function* waiting(): AsyncGenerator<Uint8Array, void> {
      await silent.promise;
      yield Buffer.from('late');
    }
    await using spool = await openSpool({ directory, maxSizeBytes: 5000 });
    const next = spool.through(waiting(), controller.signal)[Symbol.asyncIterator]().next();
    controller.abort(new Error('told to stop'));
    await expect(next).rejects.toThrow('told to stop');
    silent.resolve();
  });

  it('says that its directory cannot be used', async () => {
    const missing = join(directory, 'nowhere');
    await expect(openSpool({ directory: missing, maxSizeBytes: 1000 })).rejects.toEqual(
      wardenError('file-failed', 'ENOENT'),
    );
  });
});
