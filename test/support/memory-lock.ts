import { interruptedBy } from '../../src/adapters/etcd/errors.ts';
import { WardenError } from '../../src/errors/warden-error.ts';
import type { DefragRecord, DefragRecords } from '../../src/ports/defrag-records.ts';
import type { ClusterLock, HeldLock } from '../../src/ports/lock.ts';

export interface MemoryLock extends ClusterLock {
  /** Who holds it now. */
  readonly holder: string | undefined;
  /** Takes the lock from whoever has it and gives it to `holder`, a stranger, or to nobody. The loser learns it at once. */
  takeAway(holder?: string): void;
  /** From now on nobody can be asked, for this reason; without one all is well again. */
  failWith(reason: string | undefined): void;
}

interface Holding {
  readonly holder: string;
  readonly since: Date;
  readonly lost: AbortController;
}

/** A lock in memory that passes the conformance suite of the port. */
export function createMemoryLock(now: () => Date = () => new Date()): MemoryLock {
  let current: Holding | undefined;
  let failure: string | undefined;

  function hold(mine: Holding): HeldLock {
    let isReleased = false;
    return {
      lost: mine.lost.signal,
      confirm: async (signal) => {
        if (signal.aborted) throw interruptedBy(signal);
        mine.lost.signal.throwIfAborted();
        if (isReleased) throw new WardenError('lock-lost', 'the lock was given back by this run');
        if (failure !== undefined) throw new WardenError('lock-lost', `cannot be told: ${failure}`);
      },
      [Symbol.asyncDispose]: async () => {
        isReleased = true;
        if (current === mine) current = undefined;
      },
    };
  }

  return {
    get holder() {
      return current?.holder;
    },
    takeAway: (holder) => {
      const loser = current;
      current = holder === undefined ? undefined : { holder, since: now(), lost: new AbortController() };
      loser?.lost.abort(new WardenError('lock-lost', 'the lock was taken away'));
    },
    failWith: (reason) => {
      failure = reason;
    },
    acquire: async (holder, signal) => {
      if (signal.aborted) throw interruptedBy(signal);
      if (failure !== undefined) return { kind: 'unavailable', reason: failure };
      if (current !== undefined) return { kind: 'busy', holder: current.holder, since: current.since };
      current = { holder, since: now(), lost: new AbortController() };
      return { kind: 'held', lock: hold(current) };
    },
  };
}

/** Records in memory, to begin with those of `earlier`. */
export function createMemoryDefragRecords(earlier: Iterable<readonly [bigint, DefragRecord]> = []): DefragRecords {
  const records = new Map(earlier);
  return {
    readAll: async (signal) => {
      if (signal.aborted) throw interruptedBy(signal);
      return new Map(records);
    },
    write: async (memberId, record, signal) => {
      if (signal.aborted) throw interruptedBy(signal);
      records.set(memberId, record);
    },
  };
}
