import type { DefragStep } from '../defrag/plan.ts';
import { describeThrown, isWardenError, toWardenError, WardenError } from '../errors/warden-error.ts';
import type { Clock } from '../ports/clock.ts';
import type { DefragRecord, DefragRecords } from '../ports/defrag-records.ts';
import type { EtcdMember, MemberStatus } from '../ports/etcd.ts';
import type { Log } from '../ports/log.ts';
import type { MemberMetrics } from '../ports/member-metrics.ts';
import type { ClusterLook } from './look.ts';
import { waitUntilServing } from './settle.ts';

export interface DefragmentParts {
  readonly metrics: MemberMetrics;
  readonly records: DefragRecords;
  readonly clock: Clock;
  readonly log: Log;
}

export interface DefraggedMember {
  readonly name: string;
  readonly beforeBytes: number;
  /** undefined where the end was not seen. */
  readonly afterBytes: number | undefined;
  readonly durationMs: number;
  /** Whether our waiting for the call ended before the member's work did. */
  readonly outlastedCall: boolean;
  /** Why the run must stop here. */
  readonly error: WardenError | undefined;
}

/** A slow disk copies some 10 MB/s; a member that needs longer is waited for all the same, but not for ever. */
const slowBytesPerMs = 10_000;
const leastWaitMs = 60_000;

/**
 * Once we are told to stop, and for the last record. With the release of the lock they have to fit into the 30 s that a pod
 * is given to end.
 */
const farewellMs = 12_000;
const rememberMs = 8_000;

/**
 * Defragments one member: looks once more through another one, sends the call once, and waits until the member serves again,
 * whatever became of the call. Rejects only before the call was sent.
 */
export async function defragment(
  { member, predictedReclaimBytes, reasons }: DefragStep,
  look: ClusterLook,
  parts: DefragmentParts,
  signal: AbortSignal,
): Promise<DefraggedMember> {
  const { metrics, records, clock, log } = parts;
  const { name, id, answer } = member;
  const beforeBytes = answer?.dbSizeBytes ?? 0;
  const client = look.clientOf(member);
  await requireServedByOthers(look, id, signal);

  const at = clock.now();
  const failures = (member.lastDefrag?.failures ?? 0) + 1;
  // Written before: a run that dies in the middle must not be repeated at once by the next one.
  await remember(records, id, { at, beforeBytes, afterBytes: undefined, durationMs: 0, failures }, log, signal);
  signal.throwIfAborted();
  log.info('defragmenting', { member: name, reasons, dbSizeBytes: beforeBytes, predictedReclaimBytes });
  const startedMs = clock.monotonicMs();
  const limitMs = leastWaitMs + Math.ceil(beforeBytes / slowBytesPerMs);
  const failure = await client.defragment({ timeoutMs: limitMs }, signal).then(
    () => undefined,
    (error: unknown) => toWardenError(error),
  );
  const wasSent = failure?.details['sent'] !== false;
  const status = wasSent ? await waitForEnd(client, metrics, clock, limitMs, signal) : undefined;
  const durationMs = clock.monotonicMs() - startedMs;
  const afterBytes = status?.dbSizeBytes;
  const error = judge(name, beforeBytes, failure, status);
  const record = { at, beforeBytes, afterBytes, durationMs, failures: error === undefined ? 0 : failures };
  await remember(records, id, record, log, AbortSignal.timeout(rememberMs));
  const outlastedCall = failure !== undefined && wasSent && hasOnlyStoppedWaiting(failure);
  const result = { name, beforeBytes, afterBytes, durationMs, outlastedCall, error };
  if (error === undefined) {
    log.info('defragmented', {
      member: name,
      beforeBytes,
      afterBytes,
      durationMs: Math.round(durationMs),
      outlastedCall,
    });
  } else log.error('defragmentation failed', { member: name, code: error.code, reason: error.message });
  return result;
}

/** Reads through another voter: while this one is away the others must serve. Of a single member there is no other. */
async function requireServedByOthers(look: ClusterLook, id: bigint, signal: AbortSignal): Promise<void> {
  const others = look.facts.members.filter(
    (member) => !member.isLearner && member.id !== id && member.answer !== undefined,
  );
  if (others.length === 0) return;
  try {
    await Promise.any(others.map((member) => look.clientOf(member).readRevision(signal)));
  } catch (error) {
    signal.throwIfAborted();
    const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
    const reason = describeThrown(errors[0]);
    throw new WardenError('defrag-refused', `no linearizable read went through another member: ${reason}`, {
      details: { because: 'no-leader' },
    });
  }
}

async function waitForEnd(
  client: EtcdMember,
  metrics: MemberMetrics,
  clock: Clock,
  limitMs: number,
  signal: AbortSignal,
): Promise<MemberStatus | undefined> {
  if (!signal.aborted) {
    const status = await waitUntilServing(client, metrics, clock, limitMs, signal).catch(() => undefined);
    if (status !== undefined || !signal.aborted) return status;
  }
  // Told to stop, we still look for a while whether it ends: the next run should know.
  const farewell = AbortSignal.timeout(farewellMs);
  return waitUntilServing(client, metrics, clock, farewellMs, farewell).catch(() => undefined);
}

function judge(
  name: string,
  beforeBytes: number,
  failure: WardenError | undefined,
  status: MemberStatus | undefined,
): WardenError | undefined {
  const fail = (code: 'defrag-failed' | 'defrag-unfinished', what: string): WardenError =>
    new WardenError(code, `member ${name} ${what}${failure === undefined ? '' : `: ${failure.message}`}`, {
      details: { member: name, ...(failure !== undefined && { code: failure.code }) },
      cause: failure,
    });
  if (failure?.details['sent'] === false) return fail('defrag-failed', 'could not be asked to defragment');
  if (status === undefined) return fail('defrag-unfinished', 'was asked to defragment and does not serve again');
  if (failure === undefined) return undefined;
  if (!hasOnlyStoppedWaiting(failure)) return fail('defrag-failed', 'could not be defragmented');
  // Its end was not heard, but the size tells of it.
  if (status.dbSizeBytes < beforeBytes) return undefined;
  return fail('defrag-failed', 'serves again and is no smaller than before it was asked to defragment');
}

/** These say that we heard no end, never that there was none. */
function hasOnlyStoppedWaiting(failure: WardenError): boolean {
  return isWardenError(failure, 'etcd-deadline', 'etcd-unreachable', 'interrupted');
}

/** Never rejects: without space in etcd nothing can be written down, and that must not keep anybody from making some. */
async function remember(
  records: DefragRecords,
  id: bigint,
  record: DefragRecord,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  try {
    await records.write(id, record, signal);
  } catch (error) {
    log.warn('the defragmentation cannot be remembered in etcd', { reason: describeThrown(error) });
  }
}
