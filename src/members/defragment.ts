import type { MemberFacts } from '../defrag/facts.ts';
import type { DefragStep } from '../defrag/plan.ts';
import { defragRefused } from '../defrag/refusal-error.ts';
import { describeThrown, isWardenError, toWardenError, WardenError } from '../errors/warden-error.ts';
import type { Clock } from '../ports/clock.ts';
import type { DefragRecord, DefragRecords } from '../ports/defrag-records.ts';
import type { EtcdMember, MemberStatus } from '../ports/etcd.ts';
import type { Log } from '../ports/log.ts';
import type { MemberMetrics } from '../ports/member-metrics.ts';
import type { ClusterLook } from './look.ts';
import { requireAllServing } from './require-serving.ts';
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

/** In a cluster that is well it takes milliseconds; what was seen of one that is not must not grow old meanwhile. */
const rememberBeforeMs = 2_000;

/**
 * Defragments one member: sends the call once, right after `lookOnceMore`, and waits until the member serves again, whatever
 * became of the call. Rejects only before the call was sent.
 */
export async function defragment(
  { member, predictedReclaimBytes, reasons }: DefragStep,
  look: ClusterLook,
  parts: DefragmentParts,
  lookOnceMore: () => Promise<void>,
  signal: AbortSignal,
): Promise<DefraggedMember> {
  const { metrics, records, clock, log } = parts;
  const { name, id, answer } = member;
  const beforeBytes = answer?.dbSizeBytes ?? 0;
  const client = look.clientOf(member);
  const at = clock.now();
  const failures = (member.lastDefrag?.failures ?? 0) + 1;
  // Written before: a run that dies in the middle must not be repeated at once by the next one.
  const limited = AbortSignal.any([signal, AbortSignal.timeout(rememberBeforeMs)]);
  const before = { at, beforeBytes, afterBytes: undefined, durationMs: 0, failures };
  const isWritten = await remember(records, id, before, log, limited);
  try {
    signal.throwIfAborted();
    await lookOnceMore();
    if (isWritten) await requireLastRecord(records, member, before, signal);
    await requireAllServing(look, clock, signal);
  } catch (error) {
    // Where another run is at work the record may be its own by now.
    const isAlone = !isWardenError(error, 'lock-lost') && toWardenError(error).details['because'] !== 'defrag-running';
    if (isAlone) await remember(records, id, neverTried(member), log, AbortSignal.timeout(rememberMs));
    throw error;
  }
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
  // An end that was only inferred is none: the next run must still take the member for one at work.
  const isUnheard = failure !== undefined && hasOnlyStoppedWaiting(failure);
  const isEndSeen = error === undefined || (error.code !== 'defrag-unfinished' && !isUnheard);
  const tried = {
    at,
    beforeBytes,
    afterBytes: isEndSeen ? afterBytes : undefined,
    durationMs,
    failures: error === undefined ? 0 : failures,
  };
  const record = wasSent ? tried : neverTried(member);
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

/** What was remembered before, so that an attempt that was not made keeps nobody from the next one. */
function neverTried({ lastDefrag }: MemberFacts): DefragRecord {
  const { at = new Date(0), beforeBytes = 0, afterBytes, failures = 0 } = lastDefrag ?? {};
  return { at, beforeBytes, afterBytes, durationMs: 0, failures };
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

/**
 * Of two runs without a lock that looked at one moment only the one that wrote last goes on: whoever writes after this was
 * read looks after that, and finds the member at work.
 */
async function requireLastRecord(
  records: DefragRecords,
  { id, name }: MemberFacts,
  { at, beforeBytes, failures }: DefragRecord,
  signal: AbortSignal,
): Promise<void> {
  const found = await records.readAll(signal).then(
    (all) => all.get(id),
    () => undefined,
  );
  signal.throwIfAborted();
  if (found === undefined) return;
  const isOurs =
    found.at.getTime() === at.getTime() && found.beforeBytes === beforeBytes && found.failures === failures;
  if (isOurs && found.afterBytes === undefined) return;
  throw defragRefused({ because: 'defrag-running', explanation: `another run is about to defragment ${name}` });
}

/** Whether it was. Never rejects: without space in etcd nothing can be written down, which must not keep anybody from making some. */
async function remember(
  records: DefragRecords,
  id: bigint,
  record: DefragRecord,
  log: Log,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await records.write(id, record, signal);
    return true;
  } catch (error) {
    log.warn('the defragmentation cannot be remembered in etcd', { reason: describeThrown(error) });
    return false;
  }
}
