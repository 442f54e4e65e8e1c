import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../ports/clock.ts';
import type { EtcdMember, MemberStatus } from '../ports/etcd.ts';
import type { MemberMetrics } from '../ports/member-metrics.ts';

const pollMs = 500;

/**
 * Waits until a member that was asked to defragment serves again, and resolves with its status; undefined if it did not
 * within `limitMs`. That our own waiting for the call has ended says nothing.
 *
 * A status is answered from memory even while the database is locked. A linearizable read through the member needs the
 * database, and its own metrics say whether the work is under way.
 */
export async function waitUntilServing(
  client: EtcdMember,
  metrics: MemberMetrics,
  clock: Pick<Clock, 'monotonicMs'>,
  limitMs: number,
  signal: AbortSignal,
): Promise<MemberStatus | undefined> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    const status = await serves(client, metrics, signal).catch(() => undefined);
    signal.throwIfAborted();
    if (status !== undefined) return status;
    if (clock.monotonicMs() - startedMs > limitMs) return undefined;
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
  }
}

async function serves(
  client: EtcdMember,
  metrics: MemberMetrics,
  signal: AbortSignal,
): Promise<MemberStatus | undefined> {
  // Without an answer it is not known to be idle; undefined is the operator's word that nobody is to ask.
  const told = await metrics.read(client.member, signal);
  if (told?.isDefragmenting === true) return undefined;
  await client.readRevision(signal);
  return client.status(signal);
}
