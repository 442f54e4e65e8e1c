import { setTimeout as delay } from 'node:timers/promises';
import { Etcd3 } from 'etcd3';
import type { Cluster } from '../../support/etcd.ts';

const intervalMs = 100;
const key = '/etcd-warden/lock';

/** Who holds the lock of a cluster, read again and again by a client of another make until it is disposed. */
export class LockWatch implements AsyncDisposable {
  readonly #client: Etcd3;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  /** When a process was last seen to hold the lock, by its id. */
  readonly #seenMs = new Map<number, number>();
  readonly #killedMs = new Map<number, number>();
  #holder: string | undefined;

  constructor({ endpoints }: Cluster) {
    this.#client = new Etcd3({ hosts: [...endpoints] });
    this.#ended = this.#watch();
  }

  get holder(): string | undefined {
    return this.#holder;
  }

  /** From now on, the lock in the name of this process is nobody's. */
  killed(pid: number): void {
    this.#killedMs.set(pid, Date.now());
  }

  /** How long the lock stood in the name of a process that was dead, at most. */
  longestOrphanMs(): number {
    const orphans = [...this.#killedMs].map(([pid, killedMs]) => (this.#seenMs.get(pid) ?? 0) - killedMs);
    return Math.max(0, ...orphans);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    this.#client.close();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const value = await this.#client
        .get(key)
        .string()
        .catch(() => this.#holder ?? null);
      this.#holder = value ?? undefined;
      const [, pid] = /process (\d+)/.exec(value ?? '') ?? [];
      if (pid !== undefined) this.#seenMs.set(Number(pid), Date.now());
      await delay(intervalMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
