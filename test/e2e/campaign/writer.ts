import { setTimeout as delay } from 'node:timers/promises';
import { Etcd3, EtcdLeaseInvalidError, type IDeleteRangeResponse, type IRequestOp } from 'etcd3';
import { digestOf, type Change, type Journal } from './journal.ts';
import { Random } from './random.ts';

const kinds = ['configmaps', 'events', 'leases', 'pods', 'secrets'];
const keysOfEachKind = 150;

/** Hundreds of writes a second: enough for backups to begin and end between any two of them, and two cores have more to do. */
const pauseMs = 5;
const workers = 3;
const compactionMs = { least: 2000, most: 5000 };
const longTtlSeconds = 3600;
/** etcd allows no shorter ones. Source: etcd lease/lessor.go, minLeaseTTL, with the default election timeout. */
const shortTtlSeconds = 2;

/**
 * Writes as a busy cluster does: puts, transactions, deletes of keys and ranges, leases that are revoked, run out or stay,
 * and a compaction every few seconds. Decisions follow from the seed, their interleaving does not.
 */
export class Writer implements AsyncDisposable {
  readonly #client: Etcd3;
  readonly #journal: Journal;
  readonly #stop = new AbortController();
  readonly #loops: Promise<void>[] = [];
  readonly #inFlight = new Map<Random, Promise<void>>();
  #compactedTo = 0;
  #nextCompaction = Promise.withResolvers<void>();
  compactions = 0;

  constructor(endpoints: readonly string[], journal: Journal, seed: number) {
    this.#client = new Etcd3({ hosts: [...endpoints] });
    this.#journal = journal;
    for (let worker = 0; worker < workers; worker++)
      this.#start(
        (random) => this.#write(random),
        seed * 100 + worker,
        () => pauseMs,
      );
    this.#start(
      (random) => this.#compact(random),
      seed * 100 + workers,
      (random) => random.between(compactionMs.least, compactionMs.most),
    );
  }

  /** Resolves once the next compaction is acknowledged. */
  async nextCompaction(): Promise<void> {
    await Promise.race([this.#nextCompaction.promise, Promise.all(this.#loops)]);
  }

  /** Resolves once every write that is under way now is in the journal; rejects if any write failed so far. */
  async settle(): Promise<void> {
    await Promise.all(this.#inFlight.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#loops);
    this.#client.close();
  }

  #start(work: (random: Random) => Promise<void>, seed: number, pause: (random: Random) => number): void {
    const random = new Random(seed);
    const { signal } = this.#stop;
    const repeat = async (): Promise<void> => {
      while (!signal.aborted) {
        await delay(pause(random), undefined, { signal }).catch(() => undefined);
        const operation = work(random);
        this.#inFlight.set(random, operation);
        await operation;
      }
    };
    const loop = repeat();
    // Told by settle, which awaits the operation that failed.
    loop.catch(() => undefined);
    this.#loops.push(loop);
  }

  #write(random: Random): Promise<void> {
    const lot = random.between(1, 100);
    if (lot <= 55) return this.#put(random);
    if (lot <= 75) return this.#transact(random);
    if (lot <= 87) return this.#deleteKey(random);
    if (lot <= 92) return this.#deleteRange(random);
    return this.#lease(random);
  }

  async #put(random: Random): Promise<void> {
    const put = makePut(random);
    const { header } = await this.#client.kv.put(put.request);
    this.#journal.record(put.change(header.revision));
  }

  /** Two branches of several operations each on distinct keys, as etcd demands. */
  async #transact(random: Random): Promise<void> {
    const [first, second, third] = distinctKeys(random, 3) as [string, string, string];
    const puts = [first, second].map((key) => makePut(random, key));
    const success: IRequestOp[] = [...puts.map(({ request }) => ({ request_put: request })), deleteOf(third)];
    const failure: IRequestOp[] = [deleteOf(first), ...puts.slice(1).map(({ request }) => ({ request_put: request }))];
    const answer = await this.#client.kv.txn({
      compare: [{ target: 'Version', result: 'Greater', key: Buffer.from(first), version: 0 }],
      success,
      failure,
    });
    const { revision } = answer.header;
    const written = answer.succeeded ? puts : puts.slice(1);
    const deleted = answer.responses.flatMap(({ response_delete_range: range }) => deletionsOf(range, revision));
    this.#journal.record(...written.map((put) => put.change(revision)), ...deleted);
  }

  async #deleteKey(random: Random): Promise<void> {
    const answer = await this.#client.kv.deleteRange({ key: Buffer.from(pickKey(random)), prev_kv: true });
    this.#journal.record(...deletionsOf(answer, answer.header.revision));
  }

  async #deleteRange(random: Random): Promise<void> {
    const kind = random.pick(kinds);
    const from = random.between(0, keysOfEachKind - 1);
    const [key, rangeEnd] = [keyOf(kind, from), keyOf(kind, from + random.between(2, 6))].map((name) =>
      Buffer.from(name),
    );
    if (key === undefined || rangeEnd === undefined) return;
    const answer = await this.#client.kv.deleteRange({ key, range_end: rangeEnd, prev_kv: true });
    this.#journal.record(...deletionsOf(answer, answer.header.revision));
  }

  /** A third of the leases is revoked, a third runs out, a third stays. */
  async #lease(random: Random): Promise<void> {
    const fate = random.pick(['revoke', 'expire', 'stay']);
    const { ID: lease } = await this.#client.leaseClient.leaseGrant({
      TTL: fate === 'expire' ? shortTtlSeconds : longTtlSeconds,
    });
    if (fate === 'expire') this.#journal.noteExpiring(lease);
    for (const key of distinctKeys(random, 3)) {
      const put = makePut(random, key, lease);
      try {
        const { header } = await this.#client.kv.put(put.request);
        this.#journal.record(put.change(header.revision));
      } catch (error) {
        // A machine under load may take longer than a short lease lasts: then nothing was written.
        if (fate === 'expire' && error instanceof EtcdLeaseInvalidError) return;
        throw error;
      }
    }
    if (fate !== 'revoke') return;
    const { header } = await this.#client.leaseClient.leaseRevoke({ ID: lease });
    this.#journal.record({ kind: 'revoke', revision: Number(header.revision), lease });
  }

  /** Always below the newest write, so that there are writes that follow every compaction. */
  async #compact(random: Random): Promise<void> {
    const newest = this.#journal.newestRevision;
    const revision = Math.max(this.#compactedTo + 1, newest - random.between(1, 600));
    if (revision >= newest) return;
    await this.#client.kv.compact({ revision, physical: random.chance(0.5) });
    this.#compactedTo = revision;
    this.compactions += 1;
    this.#nextCompaction.resolve();
    this.#nextCompaction = Promise.withResolvers();
  }
}

interface Put {
  readonly request: { readonly key: Buffer; readonly value: Buffer; readonly lease: string };
  change(revision: string): Change;
}

function makePut(random: Random, key = pickKey(random), lease = '0'): Put {
  // Most objects are small; one in fifty is as large as a ConfigMap with a file in it.
  const value = random.text(random.chance(0.02) ? random.between(20_000, 60_000) : random.between(10, 3000));
  return {
    request: { key: Buffer.from(key), value: Buffer.from(value), lease },
    change: (revision) => ({ kind: 'put', revision: Number(revision), key, digest: digestOf(value), lease }),
  };
}

function deletionsOf(answer: IDeleteRangeResponse | null | undefined, revision: string): Change[] {
  return (answer?.prev_kvs ?? []).map(({ key }) => ({
    kind: 'delete',
    revision: Number(revision),
    key: key.toString(),
  }));
}

const deleteOf = (key: string): IRequestOp => ({ request_delete_range: { key: Buffer.from(key), prev_kv: true } });

const keyOf = (kind: string, index: number): string => `/registry/${kind}/${index.toString().padStart(4, '0')}`;

const pickKey = (random: Random): string => keyOf(random.pick(kinds), random.between(0, keysOfEachKind - 1));

function distinctKeys(random: Random, count: number): string[] {
  const keys = new Set<string>();
  while (keys.size < count) keys.add(pickKey(random));
  return [...keys];
}
