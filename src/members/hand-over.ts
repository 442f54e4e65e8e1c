import { setTimeout as sleep } from 'node:timers/promises';
import type { MemberFacts } from '../defrag/facts.ts';
import { votersOf } from '../defrag/voters.ts';
import { describeThrown, toWardenError, WardenError } from '../errors/warden-error.ts';
import type { Clock } from '../ports/clock.ts';
import type { EtcdMember } from '../ports/etcd.ts';
import type { ClusterLook } from './look.ts';

const limitMs = 15_000;
const pollMs = 200;

/**
 * Moves leadership and waits until both members say so. The other voters hear of it a moment later, and what was read
 * through them meanwhile fails: they are waited for too, for as long as the limit goes. After that it is for the next look
 * to say what is wrong with them.
 */
export async function handOver(
  look: ClusterLook,
  from: MemberFacts,
  to: MemberFacts,
  clock: Pick<Clock, 'monotonicMs'>,
  signal: AbortSignal,
): Promise<void> {
  const both = [look.clientOf(from), look.clientOf(to)];
  const voters = votersOf(look.facts).filter((voter) => !voter.isUnstarted);
  await look
    .clientOf(from)
    .moveLeader(to.id, signal)
    .catch((error: unknown) => {
      signal.throwIfAborted();
      const reason = describeThrown(error);
      throw new WardenError(
        'defrag-failed',
        `leadership could not be handed from ${from.name} to ${to.name}: ${reason}`,
        {
          details: { member: from.name, code: toWardenError(error).code },
          hint: 'Look which of the two leads now, and at the other; then run the command again.',
          cause: error,
        },
      );
    });
  const startedMs = clock.monotonicMs();
  for (;;) {
    const leaders = await Promise.all(both.map(async (client) => (await client.status(signal)).leaderId));
    const isMoved = leaders.every((leader) => leader === to.id);
    if (
      isMoved &&
      (await allFollow(
        voters.map((voter) => look.clientOf(voter)),
        to.id,
        signal,
      ))
    )
      return;
    if (clock.monotonicMs() - startedMs > limitMs) {
      if (isMoved) return;
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

async function allFollow(clients: readonly EtcdMember[], leaderId: bigint, signal: AbortSignal): Promise<boolean> {
  const follows = clients.map(async (client) => {
    await client.readRevision(signal);
    return (await client.status(signal)).leaderId === leaderId;
  });
  const settled = await Promise.allSettled(follows);
  return settled.every((outcome) => outcome.status === 'fulfilled' && outcome.value);
}
