import { WardenError } from '../errors/warden-error.ts';
import type { Inspection } from '../inspect/inspection.ts';
import { createInspector, type Inspector } from '../inspect/inspector.ts';
import type { Clock } from '../ports/clock.ts';
import type { EtcdMember, SnapshotStream } from '../ports/etcd.ts';
import type { Progress } from '../ports/progress.ts';
import { assertSealed } from './require-sealed.ts';
import { seal, type PreparedSealing, type SealingFacts } from './seal.ts';
import type { Spool } from './spool.ts';

/** Takes sealed blocks; resolves once there is room for the next. */
export interface SealedSink {
  write(block: Uint8Array): Promise<void>;
}

export interface StreamLimits {
  readonly idleTimeoutMs: number;
  /** An open snapshot stream pins etcd's free pages: no longer than this. */
  readonly maxStreamHoldMs: number;
}

export interface TakenSnapshot {
  readonly inspection: Inspection;
  /** As `Inspector.hashKvAt`. */
  readonly hashKvAt: (compactRevision: bigint) => number | undefined;
  readonly sealed: SealingFacts;
  readonly streamHeldMs: number;
  readonly streamedAt: Date;
}

interface Surroundings {
  readonly clock: Clock;
  readonly progress: Progress;
  readonly spool: Spool | undefined;
}

/**
 * Streams a snapshot of `member` through the inspector and the seal into `sink`, in one pass and without a disk.
 * Resolves once the last sealed byte was taken over; whether the snapshot is good is for the caller to judge by the
 * inspection. The stream is cancelled on the server on every path.
 */
export async function takeSnapshot(
  member: EtcdMember,
  prepared: PreparedSealing,
  sink: SealedSink,
  limits: StreamLimits,
  { clock, progress, spool }: Surroundings,
  signal: AbortSignal,
): Promise<TakenSnapshot> {
  using hold = holdTimer(limits.maxStreamHoldMs);
  /** Ends the stream at once where the sink failed, even while a spool still waits for the member's next block. */
  const failed = new AbortController();
  const held = AbortSignal.any([signal, hold.signal, failed.signal]);
  const openedMs = clock.monotonicMs();
  try {
    await using stream = await member.openSnapshot({ idleTimeoutMs: limits.idleTimeoutMs }, held);
    const inspector = createInspector();
    let streamedAt = clock.now();
    let streamHeldMs = 0;
    const inspected = inspectWhileReading(stream, inspector, progress, () => {
      streamedAt = clock.now();
      streamHeldMs = Math.round(clock.monotonicMs() - openedMs);
      hold.release();
    });
    await using sealed = seal(inspected, prepared, held);
    const blocks = spool === undefined ? sealed : spool.through(sealed, held);
    const guarded: SealedSink = {
      write: async (block) => {
        try {
          await abortable(() => sink.write(block), held);
        } catch (error) {
          failed.abort(error);
          throw error;
        }
      },
    };
    await drain(blocks, guarded, prepared.message !== undefined);
    return {
      inspection: inspector.finish(),
      hashKvAt: (compactRevision) => inspector.hashKvAt(compactRevision),
      sealed: sealed.facts,
      streamHeldMs,
      streamedAt,
    };
  } catch (error) {
    // Whatever the abort broke on its way up, this is the reason.
    if (hold.signal.aborted && !signal.aborted) throw hold.signal.reason;
    throw error;
  }
}

async function* inspectWhileReading(
  stream: SnapshotStream,
  inspector: Inspector,
  progress: Progress,
  ended: () => void,
): AsyncGenerator<Uint8Array, void> {
  let doneBytes = 0;
  for await (const block of stream) {
    inspector.write(block);
    doneBytes += block.length;
    progress({ kind: 'bytes', doneBytes, totalBytes: stream.totalBytes });
    yield block;
  }
  ended();
}

async function drain(blocks: AsyncIterable<Uint8Array>, sink: SealedSink, mustBeSealed: boolean): Promise<void> {
  let first = true;
  for await (const block of blocks) {
    if (first && mustBeSealed) assertSealed(block);
    first = false;
    await sink.write(block);
  }
}

/** A sink that hangs must not outlive the signal; its own release comes from disposing the uploads. */
async function abortable(start: () => Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([start(), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Aborts with `stream-held-too-long` unless released or disposed before. */
function holdTimer(maxMs: number): { readonly signal: AbortSignal; release(): void; [Symbol.dispose](): void } {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    const message = `the snapshot stream was open for more than snapshot.maxStreamHold (${maxMs} ms) and was given up`;
    controller.abort(new WardenError('stream-held-too-long', message, { details: { maxStreamHoldMs: maxMs } }));
  }, maxMs);
  const release = (): void => clearTimeout(timer);
  return { signal: controller.signal, release, [Symbol.dispose]: release };
}
