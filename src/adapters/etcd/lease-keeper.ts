import { setTimeout as delay } from 'node:timers/promises';
import { WardenError } from '../../errors/warden-error.ts';
import type { KvClient } from './kv-client.ts';
import { type LeaseTerm, renewLease } from './lease.ts';

/** Two renewals may fail, or one may take long, before the third is due. */
const renewalsPerTerm = 3;

/** The lease is assumed over a little before etcd may end it: for a last step that is under way. */
const marginShare = 0.1;

/** After a renewal that every member refused. */
const pauseMs = 500;

/**
 * Renews a lease in the background, through any member, until it is disposed or lost. It is lost when etcd says that it is
 * over, and assumed lost when the time since the last renewal that succeeded *was sent* comes near its length. That time
 * is counted by a clock that no change of the date moves; it stands still while the machine is suspended, after which the
 * next renewal tells.
 */
export class LeaseKeeper implements Disposable {
  readonly #client: KvClient;
  readonly #leaseId: bigint;
  readonly #lost = new AbortController();
  readonly #stopped = new AbortController();
  #term: LeaseTerm;
  #lastFailure: WardenError | undefined;
  #expiry: NodeJS.Timeout | undefined;

  constructor(client: KvClient, leaseId: bigint, term: LeaseTerm) {
    this.#client = client;
    this.#leaseId = leaseId;
    this.#term = term;
    this.#awaitExpiry();
    this.#renewAgainAndAgain().catch((error: unknown) => this.lose('the lease of the lock was not renewed', error));
  }

  /** Aborted with a `lock-lost` error. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Says that the lease is of no use any more, for `reason`; the first reason counts. */
  lose(reason: string, cause?: unknown): void {
    this[Symbol.dispose]();
    this.#lost.abort(new WardenError('lock-lost', reason, { cause }));
  }

  /** A process that was stopped runs on before its timers do. */
  checkExpiry(): void {
    if (this.#remainingMs() <= 0) this.#assumeLost();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#expiry);
    this.#stopped.abort();
  }

  async #renewAgainAndAgain(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const dueMs = this.#term.sentMs + this.#term.ttlMs / renewalsPerTerm;
      await delay(Math.max(0, dueMs - performance.now()), undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await this.#renew(signal);
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const noteFailure = (failure: WardenError): void => void (this.#lastFailure = failure);
    try {
      const term = await renewLease(this.#client, this.#leaseId, signal, noteFailure);
      if (signal.aborted) return;
      if (term === undefined) return this.lose('etcd ended the lease of the lock, or somebody revoked it');
      this.#term = term;
      this.#awaitExpiry();
    } catch {
      // Every member refused, as where the password was changed: that may pass as well, as long as there is time.
      await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  #awaitExpiry(): void {
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.#assumeLost(), Math.max(0, this.#remainingMs())).unref();
  }

  #remainingMs(): number {
    return this.#term.sentMs + this.#term.ttlMs * (1 - marginShare) - performance.now();
  }

  #assumeLost(): void {
    const sinceSeconds = Math.round((performance.now() - this.#term.sentMs) / 1000);
    const reason = this.#lastFailure === undefined ? '' : `: ${this.#lastFailure.message}`;
    this.lose(`the lease of the lock could not be renewed for ${sinceSeconds} s${reason}`, this.#lastFailure);
  }
}
