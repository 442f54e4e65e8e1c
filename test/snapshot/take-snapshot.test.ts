import { createHash } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../src/ports/clock.ts';
import type { ProgressEvent } from '../../src/ports/progress.ts';
import { prepareSealing, type PreparedSealing, type Sealing } from '../../src/snapshot/seal.ts';
import { takeSnapshot, type SealedSink, type TakenSnapshot } from '../../src/snapshot/take-snapshot.ts';
import { etcdSnapshot, streamOf, type StreamOf } from '../support/crafted-etcd-snapshot.ts';
import { wardenError } from '../support/errors.ts';
import { refuses, surveyedMember } from '../support/scripted-etcd.ts';

const bytes = etcdSnapshot(50, 3000);
const limits = { idleTimeoutMs: 1000, maxStreamHoldMs: 60_000 };
const plain = { compression: { algorithm: 'none' }, encryption: 'none' } as const;
const zstd = { compression: { algorithm: 'zstd', level: 1 }, encryption: 'none' } as const;

/** A sink that keeps what it takes; `beforeWrite` may wait or fail. */
function sinkOf(beforeWrite: () => Promise<void> = async () => undefined): SealedSink & { taken: Uint8Array[] } {
  const taken: Uint8Array[] = [];
  return {
    taken,
    write: async (block) => {
      await beforeWrite();
      taken.push(block);
    },
  };
}

describe('taking a snapshot', () => {
  let stop: AbortController;
  let clockMs: number;
  let events: ProgressEvent[];
  const clock: Clock = { now: () => new Date('2026-11-24T14:00:00Z'), monotonicMs: () => clockMs };

  beforeEach(() => {
    stop = new AbortController();
    clockMs = 5000;
    events = [];
  });

  // A rejection that nobody handles fails the run: vitest sees to that.
  afterEach(() => void vi.useRealTimers());

  async function take(
    stream: StreamOf | Error,
    sink: SealedSink,
    { sealing = plain, prepared }: { readonly sealing?: Sealing; readonly prepared?: PreparedSealing } = {},
  ): Promise<TakenSnapshot> {
    const openSnapshot = () => (stream instanceof Error ? Promise.reject(stream) : Promise.resolve(stream));
    const surroundings = { clock, progress: (event: ProgressEvent) => void events.push(event), spool: undefined };
    return takeSnapshot(
      surveyedMember({ openSnapshot }).client,
      prepared ?? (await prepareSealing(sealing, stop.signal)),
      sink,
      limits,
      surroundings,
      stop.signal,
    );
  }

  it('hands the bytes of etcd to the sink and tells what they are', async () => {
    const sink = sinkOf();
    const stream = streamOf(bytes);
    const taken = await take(stream, sink);
    expect(Buffer.concat(sink.taken).equals(bytes)).toBe(true);
    expect(taken.inspection).toMatchObject({ verdict: 'sound', revision: 50n, sizeBytes: bytes.length });
    expect(taken.sealed).toMatchObject({ sealedBytes: bytes.length, sealedSha256: taken.inspection.sha256 });
    expect(stream.isReleased).toBe(true);
  });

  it('seals what it hands on, and counts both sides', async () => {
    const sink = sinkOf();
    const { sealed, inspection } = await take(streamOf(bytes), sink, { sealing: zstd });
    const stored = Buffer.concat(sink.taken);
    expect(stored.length).toBeLessThan(bytes.length);
    expect(zstdDecompressSync(stored).equals(bytes)).toBe(true);
    expect(sealed).toMatchObject({
      sealedBytes: stored.length,
      sealedSha256: createHash('sha256').update(stored).digest('hex'),
    });
    expect(inspection.sizeBytes).toBe(bytes.length);
  });

  it('measures how long the stream was held, until its last byte and no longer', async () => {
    const stream = streamOf(bytes, { beforePiece: async () => void (clockMs += 10) });
    const sink = sinkOf(async () => void (clockMs += 1_000_000));
    const pieces = Math.ceil(bytes.length / 4096);
    expect(await take(stream, sink)).toMatchObject({ streamHeldMs: pieces * 10 });
  });

  it('tells its progress towards the announced size', async () => {
    await take(streamOf(bytes), sinkOf());
    expect(events.at(-1)).toEqual({ kind: 'bytes', doneBytes: bytes.length, totalBytes: bytes.length });
  });

  it('leaves the judgement of damaged bytes to the caller', async () => {
    const altered = Buffer.from(bytes);
    altered[bytes.length - 1] = (altered[bytes.length - 1] ?? 0) ^ 1;
    expect((await take(streamOf(altered), sinkOf())).inspection).toMatchObject({
      verdict: 'damaged',
      trailer: 'differs',
    });
  });

  it('rejects with the reason of the member where the stream cannot be opened', async () => {
    await expect(take(refuses('etcd-permission-denied'), sinkOf())).rejects.toEqual(
      wardenError('etcd-permission-denied'),
    );
  });

  // field: F003
  it('releases the stream where it breaks off in the middle', async () => {
    const stream = streamOf(bytes, {
      beforePiece: (at) => (at > 20_000 ? Promise.reject(refuses('stream-interrupted')) : Promise.resolve()),
    });
    await expect(take(stream, sinkOf())).rejects.toEqual(wardenError('stream-interrupted'));
    expect(stream.isReleased).toBe(true);
  });

  it('releases the stream where the sink fails', async () => {
    const stream = streamOf(bytes);
    const full = sinkOf(() => Promise.reject(refuses('no-backup-stored')));
    await expect(take(stream, full)).rejects.toEqual(wardenError('no-backup-stored'));
    expect(stream.isReleased).toBe(true);
  });

  it('gives the stream up where a sink holds it for longer than allowed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const stream = streamOf(etcdSnapshot(600, 4000));
    const hanging = sinkOf(() => {
      vi.advanceTimersByTime(limits.maxStreamHoldMs);
      return new Promise(() => undefined);
    });
    await expect(take(stream, hanging)).rejects.toEqual(
      wardenError('stream-held-too-long', 'snapshot.maxStreamHold', '60000 ms'),
    );
    expect([stream.isReleased, vi.getTimerCount()]).toEqual([true, 0]);
  });

  it('says so too where the member breaks off for it with an error of its own', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const stream = streamOf(bytes, {
      beforePiece: async () => {
        vi.advanceTimersByTime(limits.maxStreamHoldMs);
        throw new Error('the operation was aborted');
      },
    });
    await expect(take(stream, sinkOf())).rejects.toEqual(wardenError('stream-held-too-long'));
  });

  it('lets a sink take its time once the stream has ended', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const slow = sinkOf(async () => void vi.advanceTimersByTime(10 * limits.maxStreamHoldMs));
    expect(await take(streamOf(bytes), slow)).toMatchObject({ inspection: { verdict: 'sound' } });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stops when it is interrupted while the sink hangs', async () => {
    const stream = streamOf(bytes);
    const hanging = sinkOf(() => {
      queueMicrotask(() => stop.abort(refuses('interrupted', 'ended by SIGTERM')));
      return new Promise(() => undefined);
    });
    await expect(take(stream, hanging)).rejects.toEqual(wardenError('interrupted', 'SIGTERM'));
    expect(stream.isReleased).toBe(true);
  });

  it('writes nothing more once it is interrupted, so that no failure of a sink is left unseen', async () => {
    const sink = sinkOf(() => Promise.reject(refuses('no-backup-stored')));
    const stream = streamOf(bytes, { beforePiece: async () => stop.abort(refuses('interrupted')) });
    await expect(take(stream, sink)).rejects.toEqual(wardenError('interrupted'));
    expect(stream.isReleased).toBe(true);
  });

  // field: F138
  it('lets no byte through that is not sealed where it should be', async () => {
    const sink = sinkOf();
    const prepared = await prepareSealing(plain, stop.signal);
    const forgetful: PreparedSealing = {
      ...prepared,
      message: { recipients: [], encrypt: (source) => source },
    };
    await expect(take(streamOf(bytes), sink, { prepared: forgetful })).rejects.toEqual(
      wardenError('not-encrypted', 'bolt'),
    );
    expect(sink.taken).toEqual([]);
  });
});
