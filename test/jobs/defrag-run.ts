import { runDefrag, planDefragmentation, type DefragOptions, type DefragRun } from '../../src/jobs/defrag.ts';
import type { DefragPlan } from '../../src/defrag/plan.ts';
import type { DefragPolicy } from '../../src/defrag/policy.ts';
import type { DefragRecord, DefragRecords } from '../../src/ports/defrag-records.ts';
import type { ClusterLock } from '../../src/ports/lock.ts';
import { defaults } from '../defrag/cluster.ts';
import type { LiveCluster } from '../support/defrag-cluster.ts';
import { createMemoryDefragRecords, createMemoryLock, type MemoryLock } from '../support/memory-lock.ts';
import { fakedClock, toItsEnd } from '../support/pass-time.ts';
import { fieldsLog, type LoggedLine } from './repositories.ts';

export interface WrittenRecord extends DefragRecord {
  readonly memberId: bigint;
  /** How many commands had been sent by then. */
  readonly afterCommands: number;
}

export interface TestRun {
  readonly lock: MemoryLock;
  readonly stop: AbortController;
  readonly logged: readonly LoggedLine[];
  readonly written: readonly WrittenRecord[];
  readonly stages: readonly string[];
  /** Called with every stage that is told of. */
  onStage: (text: string) => void;
  run(changes?: RunChanges): Promise<DefragRun>;
  dryRun(changes?: RunChanges): Promise<DefragPlan>;
}

interface RunChanges extends Partial<Omit<DefragOptions, 'policy' | 'request'>> {
  readonly policy?: Partial<DefragPolicy>;
  readonly request?: Partial<DefragOptions['request']>;
}

interface Surroundings {
  readonly earlier?: Iterable<readonly [bigint, DefragRecord]>;
  /** Instead of records in memory. */
  readonly records?: DefragRecords;
  /** `none`: coordination is turned off. */
  readonly lock?: ClusterLock | 'none';
  readonly newestBackup?: (clusterId: bigint) => Promise<Date | undefined>;
}

/** A run at the cluster with everything else in memory, by the faked clock. */
export function runAt(cluster: LiveCluster, surroundings: Surroundings = {}): TestRun {
  const memoryLock = createMemoryLock();
  const records = surroundings.records ?? createMemoryDefragRecords(surroundings.earlier);
  const log = fieldsLog();
  const written: WrittenRecord[] = [];
  const stages: string[] = [];
  const stop = new AbortController();
  const parts = {
    etcd: cluster.etcd,
    metrics: cluster.metrics,
    records: {
      readAll: (signal: AbortSignal) => records.readAll(signal),
      write: async (memberId: bigint, record: DefragRecord, signal: AbortSignal) => {
        await records.write(memberId, record, signal);
        written.push({ ...record, memberId, afterCommands: cluster.etcd.commands.length });
      },
    },
    lock: surroundings.lock === 'none' ? undefined : (surroundings.lock ?? memoryLock),
    clock: fakedClock,
    log,
    progress: (event: { readonly kind: string; readonly text?: string }) => {
      if (event.text === undefined) return;
      stages.push(event.text);
      test.onStage(event.text);
    },
    findNewestBackup: surroundings.newestBackup ?? (async () => undefined),
  };
  const optionsWith = ({ policy, request, ...changes }: RunChanges): DefragOptions => ({
    policy: { ...defaults, ...policy },
    request: { forceRule: false, acceptUnsafeVersion: false, ...request },
    quotaBytes: undefined,
    pauseMs: 60_000,
    disarmNospace: true,
    holder: 'defrag on node-1, process 4711',
    ...changes,
  });
  const test: TestRun = {
    lock: memoryLock,
    stop,
    logged: log.lines,
    written,
    stages,
    onStage: () => undefined,
    run: (changes = {}) => toItsEnd(runDefrag(parts, optionsWith(changes), stop.signal)),
    dryRun: (changes = {}) => toItsEnd(planDefragmentation(parts, optionsWith(changes), stop.signal)),
  };
  return test;
}

/** `m2: reclaimed 768 MiB`, `m3: defrag-failed`. */
export function resultsOf({ members }: DefragRun): string[] {
  return members.map(({ name, beforeBytes, afterBytes, error }) => {
    if (error !== undefined) return `${name}: ${error.code}`;
    return `${name}: reclaimed ${(beforeBytes - (afterBytes ?? beforeBytes)) / 2 ** 20} MiB`;
  });
}
