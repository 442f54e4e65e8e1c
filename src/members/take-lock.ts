import { WardenError } from '../errors/warden-error.ts';
import type { Etcd } from '../ports/etcd.ts';
import type { ClusterLock, HeldLock } from '../ports/lock.ts';
import type { Log } from '../ports/log.ts';

export interface LockParts {
  readonly lock: ClusterLock | undefined;
  readonly etcd: Etcd;
  readonly log: Log;
}

/**
 * The lock of the cluster; undefined where coordination is turned off, and where etcd is out of space and nobody holds it.
 * Rejects with `busy`, or with `defrag-refused` where it cannot be had.
 */
export async function takeLock(
  { lock, etcd, log }: LockParts,
  holder: string,
  signal: AbortSignal,
): Promise<HeldLock | undefined> {
  const outcome = await lock?.acquire(holder, signal);
  if (outcome === undefined) return undefined;
  if (outcome.kind === 'held') return outcome.lock;
  if (outcome.kind === 'busy') {
    const since = outcome.since === undefined ? '' : ` since ${outcome.since.toISOString()}`;
    throw new WardenError('busy', `another run works on this cluster${since}: ${outcome.holder}`, {
      details: { holder: outcome.holder },
    });
  }
  // Out of space, etcd takes no lock, and a defragmentation is the cure. What others do is seen in the members' metrics.
  if (await tellsOfNoSpace(etcd, signal)) {
    log.warn('going on without the lock: etcd is out of space', { reason: outcome.reason });
    return undefined;
  }
  throw new WardenError('defrag-refused', `nothing is defragmented: the lock cannot be taken: ${outcome.reason}`, {
    details: { because: 'no-lock' },
    hint: 'Bring the cluster to quorum and let the user of cluster.auth write coordination.key, or set coordination.lock to none.',
  });
}

async function tellsOfNoSpace(etcd: Etcd, signal: AbortSignal): Promise<boolean> {
  const { members } = await etcd.discover(signal);
  for (const member of members.filter(({ endpoint }) => endpoint !== undefined)) {
    await using client = etcd.connect(member);
    const alarms = await client.alarms(signal).catch(() => undefined);
    signal.throwIfAborted();
    if (alarms !== undefined) return alarms.some(({ type }) => type === 'NOSPACE');
  }
  return false;
}
