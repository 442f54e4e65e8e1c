import { setTimeout as sleep } from 'node:timers/promises';
import type { MemberFacts } from '../defrag/facts.ts';
import { WardenError } from '../errors/warden-error.ts';
import type { Clock } from '../ports/clock.ts';
import type { ClusterLook } from './look.ts';

const limitMs = 15_000;
const pollMs = 200;

/** Moves leadership and waits until both members say so. */
export async function handOver(
  look: ClusterLook,
  from: MemberFacts,
  to: MemberFacts,
  clock: Pick<Clock, 'monotonicMs'>,
  signal: AbortSignal,
): Promise<void> {
  const clients = [look.clientOf(from), look.clientOf(to)];
  await look.clientOf(from).moveLeader(to.id, signal);
  const startedMs = clock.monotonicMs();
  for (;;) {
    const leaders = await Promise.all(clients.map(async (client) => (await client.status(signal)).leaderId));
    if (leaders.every((leader) => leader === to.id)) return;
    if (clock.monotonicMs() - startedMs > limitMs) {
      throw new WardenError(
        'defrag-failed',
        `leadership was handed from ${from.name} to ${to.name}, who does not have it`,
        {
          details: { member: from.name },
        },
      );
    }
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
  }
}
