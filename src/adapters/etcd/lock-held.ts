import { toWardenError, WardenError } from '../../errors/warden-error.ts';
import type { HeldLock } from '../../ports/lock.ts';
import { hex } from './answers.ts';
import { interruptedBy } from './errors.ts';
import type { KeyValue } from './generated/etcd_pb.ts';
import { readKey } from './kv.ts';
import type { KvClient } from './kv-client.ts';
import { limitTime } from './kv-limit.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import { revokeLease } from './lease.ts';
import { decodeLockValue } from './lock-value.ts';

/** Rides out an election; a run that cannot tell for longer does better to stop. */
const confirmTimeoutMs = 10_000;

const releaseTimeoutMs = 5_000;

/** The key that holds the lock, as it was made. */
export interface LockKey {
  readonly key: string;
  readonly leaseId: bigint;
  readonly createRevision: bigint;
}

/** A lock whose key lives as long as our lease. Owns the client and the keeper of the lease. */
export class LeasedLock implements HeldLock {
  readonly #client: KvClient;
  readonly #keeper: LeaseKeeper;
  readonly #made: LockKey;
  #released: Promise<void> | undefined;

  constructor(client: KvClient, keeper: LeaseKeeper, made: LockKey) {
    this.#client = client;
    this.#keeper = keeper;
    this.#made = made;
  }

  get lost(): AbortSignal {
    return this.#keeper.lost;
  }

  async confirm(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw interruptedBy(signal);
    if (this.#released !== undefined) {
      throw new WardenError('lock-lost', `the lock ${this.#made.key} was given back by this run`);
    }
    this.#keeper.checkExpiry();
    this.lost.throwIfAborted();
    const difference = this.#differenceFrom(await this.#read(signal));
    if (difference !== undefined) this.#keeper.lose(difference);
    this.#keeper.checkExpiry();
    this.lost.throwIfAborted();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#released ??= this.#release());
  }

  async #read(signal: AbortSignal): Promise<KeyValue | undefined> {
    using limit = limitTime(AbortSignal.any([signal, this.lost]), confirmTimeoutMs, () => {
      return new WardenError('etcd-deadline', `no member answered within ${confirmTimeoutMs / 1000} s`);
    });
    try {
      return await readKey(this.#client, this.#made.key, limit.signal);
    } catch (error) {
      if (signal.aborted) throw interruptedBy(signal);
      this.lost.throwIfAborted();
      const reason = `whether this run still holds the lock ${this.#made.key} cannot be told`;
      throw new WardenError('lock-lost', `${reason}: ${toWardenError(error).message}`, { cause: error });
    }
  }

  #differenceFrom(found: KeyValue | undefined): string | undefined {
    const { key, leaseId, createRevision } = this.#made;
    if (found === undefined) return `the key ${key} of the lock is gone: somebody deleted it, or its lease ended`;
    if (found.lease === leaseId && found.createRevision === createRevision) return undefined;
    const owner = decodeLockValue(found.value).holder;
    return `the lock ${key} has passed to another holder: ${owner} (lease ${hex(found.lease)})`;
  }

  /** Revoking the lease deletes its keys in the same step. A key that a stranger put there is not under it, and stays. */
  async #release(): Promise<void> {
    this.#keeper[Symbol.dispose]();
    await giveLeaseBack(this.#client, this.#made.leaseId, releaseTimeoutMs);
    await this.#client[Symbol.asyncDispose]();
  }
}

/** Never rejects: a lease that could not be revoked ends by itself. */
export async function giveLeaseBack(client: KvClient, leaseId: bigint, timeoutMs: number): Promise<void> {
  using limit = limitTime(new AbortController().signal, timeoutMs, () => {
    return new WardenError('etcd-deadline', `no member answered within ${timeoutMs / 1000} s`);
  });
  await revokeLease(client, leaseId, limit.signal).catch(() => undefined);
}
