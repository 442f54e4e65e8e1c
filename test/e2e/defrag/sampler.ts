import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterMember } from '../../support/etcd.ts';

const intervalMs = 20;
const limitMs = 500;

/** What a member said of itself in its metrics at one moment, by the clock that its log has too. */
export interface Sample {
  readonly member: string;
  readonly sentMs: number;
  readonly receivedMs: number;
  readonly isDefragmenting: boolean;
  readonly isLeader: boolean;
  readonly openSnapshots: number;
  readonly committedIndex: number;
  readonly appliedIndex: number;
}

/** Reads the metrics of every member every 20 ms until it is disposed. Members that do not answer leave no sample. */
export class Sampler implements AsyncDisposable {
  readonly #samples: Sample[] = [];
  readonly #latest = new Map<string, Sample>();
  readonly #stop = new AbortController();
  readonly #agent = new Agent({ keepAlive: true });
  readonly #loops: readonly Promise<void>[];
  readonly #listeners = new Set<(sample: Sample) => void>();

  constructor(members: readonly ClusterMember[]) {
    this.#loops = members.map((member) => this.#sample(member));
  }

  /** The newest sample of each member that has one. */
  latest(): readonly Sample[] {
    return [...this.#latest.values()];
  }

  /** All that were taken since the last call. */
  take(): readonly Sample[] {
    return this.#samples.splice(0);
  }

  /** Resolves with the first sample from now on of which `holds` is true; rejects when `signal` is aborted. */
  next(holds: (sample: Sample) => boolean, signal: AbortSignal): Promise<Sample> {
    const { promise, resolve, reject } = Promise.withResolvers<Sample>();
    const listen = (sample: Sample): void => (holds(sample) ? resolve(sample) : undefined);
    const abort = (): void => reject(signal.reason as Error);
    this.#listeners.add(listen);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    return promise.finally(() => {
      this.#listeners.delete(listen);
      signal.removeEventListener('abort', abort);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
    this.#agent.destroy();
  }

  async #sample({ name, metricsUrl }: ClusterMember): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const sentMs = Date.now();
      const text = await this.#read(`${metricsUrl}/metrics`).catch(() => undefined);
      if (signal.aborted) return;
      if (text !== undefined) {
        const sample = { member: name, sentMs, receivedMs: Date.now(), ...toFacts(text) };
        this.#samples.push(sample);
        this.#latest.set(name, sample);
        for (const listen of this.#listeners) listen(sample);
      }
      const restMs = sentMs + intervalMs - Date.now();
      await delay(Math.max(1, restMs), undefined, { signal }).catch(() => undefined);
    }
  }

  #read(url: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(limitMs)]);
    const sent = request(url, { agent: this.#agent, headers: { 'accept-encoding': 'identity' }, signal }, (answer) => {
      const chunks: string[] = [];
      answer.setEncoding('latin1');
      answer.on('data', (chunk: string) => chunks.push(chunk));
      answer.on('end', () => resolve(chunks.join('')));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
    return promise;
  }
}

function toFacts(text: string): Omit<Sample, 'member' | 'sentMs' | 'receivedMs'> {
  const valueOf = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  const sumOf = (counter: string): number =>
    [...text.matchAll(new RegExp(`^${counter}\\{(.*)\\} (\\S+)$`, 'gm'))]
      .filter(([, labels = '']) => labels.includes('grpc_method="Snapshot"'))
      .reduce((sum, [, , value]) => sum + Number(value), 0);
  return {
    isDefragmenting: valueOf('etcd_disk_defrag_inflight') > 0,
    isLeader: valueOf('etcd_server_is_leader') === 1,
    openSnapshots: sumOf('grpc_server_started_total') - sumOf('grpc_server_handled_total'),
    committedIndex: valueOf('etcd_server_proposals_committed_total'),
    appliedIndex: valueOf('etcd_server_proposals_applied_total'),
  };
}
