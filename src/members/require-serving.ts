import { votersOf } from '../defrag/voters.ts';
import { defragRefused } from '../defrag/refusal-error.ts';
import { describeThrown } from '../errors/warden-error.ts';
import type { Clock } from '../ports/clock.ts';
import type { ClusterLook } from './look.ts';

/** What one voter said is older than that by the time that the last one has answered: too old to act on. */
const freshMs = 500;
const rounds = 3;
const limitMs = 2_000;

/**
 * A linearizable read through every voter, all within half a second: none of them is dead, stopped or cut off at this
 * moment. A look cannot promise that: while the leader is being replaced it takes seconds, and what it was told first may
 * not hold any more when it is over. Rejects with `defrag-refused`.
 */
export async function requireAllServing(
  look: ClusterLook,
  clock: Pick<Clock, 'monotonicMs'>,
  signal: AbortSignal,
): Promise<void> {
  const voters = votersOf(look.facts).filter(({ answer }) => answer !== undefined);
  for (let round = 0; round < rounds; round++) {
    const beganMs = clock.monotonicMs();
    const limited = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
    await Promise.all(
      voters.map(async (voter) => {
        try {
          await look.clientOf(voter).readRevision(limited);
        } catch (error) {
          signal.throwIfAborted();
          const reason = limited.aborted ? `none within ${limitMs / 1000} s` : describeThrown(error);
          const explanation = `no linearizable read went through ${voter.name} at the last moment: ${reason}`;
          throw defragRefused({ because: 'unreachable-voter', explanation });
        }
      }),
    );
    if (clock.monotonicMs() - beganMs <= freshMs) return;
  }
  throw defragRefused({
    because: 'unreachable-voter',
    explanation: `reads through all voters take longer than ${freshMs / 1000} s, so that nobody knows who serves now`,
  });
}
