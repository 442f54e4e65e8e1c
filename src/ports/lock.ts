/**
 * One run works on a cluster at a time: a key in etcd that lives as long as its holder's lease. A hint against waste; safety
 * comes from reading facts again.
 */
export interface ClusterLock {
  /**
   * Takes the lock, or says why not. Never waits for a holder. Rejects only when interrupted.
   * @param holder who asks, for people: host, process, command
   */
  acquire(holder: string, signal: AbortSignal): Promise<LockOutcome>;
}

export type LockOutcome =
  | { readonly kind: 'held'; readonly lock: HeldLock }
  | { readonly kind: 'busy'; readonly holder: string; readonly since: Date | undefined }
  /** No quorum, or no member that could be asked. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Disposing gives the lock back; that of another holder is never touched. */
export interface HeldLock extends AsyncDisposable {
  /** Aborted, with a `lock-lost` WardenError, as soon as the lock is known or must be assumed to be lost. */
  readonly lost: AbortSignal;
  /** Asks etcd whether the lock is still ours; rejects with `lock-lost` if it is not, or if that cannot be told. */
  confirm(signal: AbortSignal): Promise<void>;
}
