import type { Parts } from '../../src/agent/compose.ts';
import { unmeasured } from '../../src/agent/unmeasured.ts';
import type { Etcd } from '../../src/ports/etcd.ts';
import type { Metrics } from '../../src/ports/metrics.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import type { Progress } from '../../src/ports/progress.ts';
import type { Repository } from '../../src/ports/repository.ts';
import { inspectBytes } from '../inspect/inspect-bytes.ts';
import { fieldsLog } from '../jobs/repositories.ts';
import { etcdSnapshot, streamOf } from '../support/crafted-etcd-snapshot.ts';
import { createMemoryFiles } from '../support/memory-files.ts';
import { createMemoryDefragRecords } from '../support/memory-lock.ts';
import { fakedClock } from '../support/pass-time.ts';
import { hashAnswer, scriptedEtcd, type MemberScript } from '../support/scripted-etcd.ts';

/** Parts of which nothing leaves the memory: by the faked clock, without coordination, encryption or repositories. */
export function memoryParts(changes: Partial<Parts> = {}): Parts & { readonly progress: Progress } {
  return {
    etcd: scriptedEtcd([servingMember()]),
    metrics: { read: async () => undefined },
    lock: undefined,
    repositoriesLock: undefined,
    records: createMemoryDefragRecords(),
    repositories: [],
    recipients: 'none',
    encrypts: false,
    identities: [],
    clock: fakedClock,
    log: fieldsLog(),
    measures: unmeasured,
    files: createMemoryFiles(),
    random: (count) => new Uint8Array(count),
    progress: () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
    ...changes,
  };
}

const snapshot = etcdSnapshot();
const { kvHash } = inspectBytes(snapshot);

/** A healthy member that streams a sound snapshot. */
function servingMember(script: MemberScript = {}): MemberScript {
  return {
    hashKv: async () => hashAnswer({ hash: kvHash?.hash ?? 0, compactRevision: -1n }),
    openSnapshot: async () => streamOf(snapshot),
    ...script,
  };
}

/** An etcd of which the first look can wait or fail. */
export function etcdAfter(lookAhead: (signal: AbortSignal) => Promise<void>): Etcd {
  const etcd = scriptedEtcd([servingMember()]);
  return {
    ...etcd,
    discover: async (signal) => {
      await lookAhead(signal);
      return etcd.discover(signal);
    },
  };
}

/** The same repository, but for its listing where `list` gives another one at that moment. */
export function listedBy({ name, store }: Repository, list: () => ObjectStore['list'] | undefined): Repository {
  return {
    name,
    store: { ...store, list: (prefix, signal) => list()?.(prefix, signal) ?? store.list(prefix, signal) },
  };
}

/** What metrics were told, as `jobSkipped` and what came with it. */
export type Told = readonly [event: string, ...facts: readonly unknown[]];

export interface RecordedMeasures extends Metrics {
  readonly told: Told[];
  /** What came with each event of this name. */
  of(event: keyof Metrics): unknown[][];
}

export function recordedMeasures(): RecordedMeasures {
  const told: Told[] = [];
  const events = Object.keys(unmeasured).map((event) => [
    event,
    (...facts: readonly unknown[]) => void told.push([event, ...facts]),
  ]);
  return {
    ...(Object.fromEntries(events) as Metrics),
    told,
    of: (wanted) => told.filter(([event]) => event === wanted).map(([, ...facts]) => facts),
  };
}
