import { setTimeout as delay } from 'node:timers/promises';
import { Etcd3 } from 'etcd3';
import type { Cluster } from '../../support/etcd.ts';

const intervalMs = 20;
/** A member gives a write up after seven seconds; a client that has others to ask does not wait for that. */
const attemptLimitMs = 2_000;

/** One attempt to write through one member. */
export interface Attempt {
  readonly member: string;
  readonly beganMs: number;
  readonly endedMs: number;
  readonly failure: string | undefined;
}

/**
 * Begins a write every 20 ms whatever became of the last ones, each through another member first, as many clients do: an
 * attempt that fails is made again with the next member. Runs until it is disposed.
 */
export class SteadyWriter implements AsyncDisposable {
  readonly attempts: Attempt[] = [];
  /** Writes that no member took. */
  failures = 0;
  readonly #stop = new AbortController();
  readonly #clients: readonly { readonly member: string; readonly client: Etcd3 }[];
  readonly #begun: Promise<void>;

  constructor({ members }: Cluster) {
    this.#clients = members.map(({ name, endpoint }) => ({ member: name, client: new Etcd3({ hosts: endpoint }) }));
    this.#begun = this.#beginWrites();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#begun;
    for (const { client } of this.#clients) client.close();
  }

  /** Resolves once no write is under way any more. */
  async #beginWrites(): Promise<void> {
    const { signal } = this.#stop;
    const writes: Promise<void>[] = [];
    for (let index = 0; !signal.aborted; index++) {
      writes.push(this.#write(index % this.#clients.length));
      await delay(intervalMs, undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(writes);
  }

  async #write(first: number): Promise<void> {
    for (const { member, client } of [...this.#clients.slice(first), ...this.#clients.slice(0, first)]) {
      if (await this.#attempt(member, client)) return;
    }
    this.failures += 1;
  }

  async #attempt(member: string, client: Etcd3): Promise<boolean> {
    const beganMs = Date.now();
    const put = client.put(`/steady/${member}`).value(String(beganMs));
    const late = Promise.withResolvers<string>();
    const timer = setTimeout(() => late.resolve(`nothing for ${attemptLimitMs} ms`), attemptLimitMs);
    const failure = await Promise.race([
      put.then(
        () => undefined,
        (error: unknown) => String(error),
      ),
      late.promise,
    ]);
    clearTimeout(timer);
    this.attempts.push({ member, beganMs, endedMs: Date.now(), failure });
    return failure === undefined;
  }
}
