import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DefragPolicy } from '../../src/defrag/policy.ts';
import { type DefragParts, type DefragRun, runDefrag } from '../../src/jobs/defrag.ts';
import type { MemberMetricFacts } from '../../src/ports/member-metrics.ts';
import { defaults, GiB, hourMs, minuteMs } from '../defrag/cluster.ts';
import { createMemoryDefragRecords, createMemoryLock, type MemoryLock } from '../support/memory-lock.ts';
import { type MemberScript, refuses, scriptedEtcd, type ScriptedEtcd } from '../support/scripted-etcd.ts';

vi.mock('node:timers/promises', () => import('../support/fake-delay.ts'));

/** Cases that take hours, on a clock of their own. */

const never = new AbortController().signal;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const idle: MemberMetricFacts = {
  quotaBytes: undefined,
  openSnapshots: 0,
  raftSnapshotsInFlight: 0,
  openReadTransactions: 0,
  isDefragmenting: false,
};

/** What the members have in common, and what becomes of it. */
interface World {
  leaderId: bigint;
  raftTerm: bigint;
  /** Until when each member works, by id and by the clock. */
  readonly busyUntilMs: Map<bigint, number>;
  /** In use are a quarter of it. */
  readonly dbSizeBytes: Map<bigint, number>;
  readonly quotaBytes: number;
}

beforeEach(
  () => void vi.useFakeTimers({ now: Date.UTC(2026, 10, 25, 12), toFake: ['setTimeout', 'clearTimeout', 'Date'] }),
);
afterEach(() => void vi.useRealTimers());

const worldOf = (changes: Partial<World> = {}): World => ({
  leaderId: 1n,
  raftTerm: 2n,
  busyUntilMs: new Map(),
  dbSizeBytes: new Map([1n, 2n, 3n].map((id) => [id, GiB])),
  quotaBytes: 8 * GiB,
  ...changes,
});

const isBusy = (world: World, id: bigint): boolean => Date.now() < (world.busyUntilMs.get(id) ?? 0);

/** A member that answers from `world`, and serves no read while it works. */
function member(id: bigint, world: World, defragment: NonNullable<MemberScript['defragment']>): MemberScript {
  return {
    id,
    status: () => ({
      leaderId: world.leaderId,
      raftTerm: world.raftTerm,
      dbSizeBytes: world.dbSizeBytes.get(id) ?? 0,
      dbSizeInUseBytes: GiB / 4,
      dbSizeQuotaBytes: world.quotaBytes,
    }),
    readRevision: () => (isBusy(world, id) ? refuses('etcd-deadline') : 8n),
    defragment,
    moveLeader: async (targetId) => {
      world.leaderId = targetId;
      world.raftTerm += 1n;
    },
  };
}

const shrink = (world: World, id: bigint): void => void world.dbSizeBytes.set(id, GiB / 4);

/** Works for `workMs`; the call ends at its limit, with the error that it then has. */
function outlasting(world: World, id: bigint, workMs: number) {
  return (options: { readonly timeoutMs: number }): Promise<void> => {
    world.busyUntilMs.set(id, Date.now() + workMs);
    setTimeout(() => shrink(world, id), workMs);
    return new Promise((_, reject) => {
      setTimeout(() => reject(refuses('etcd-deadline')), options.timeoutMs);
    });
  };
}

interface Place {
  readonly parts: DefragParts;
  readonly lock: MemoryLock;
  readonly etcd: ScriptedEtcd;
}

function place(world: World, scripts: readonly MemberScript[]): Place {
  const [etcd, lock] = [scriptedEtcd(scripts), createMemoryLock()];
  const parts: DefragParts = {
    etcd,
    lock,
    metrics: { read: async ({ id }) => ({ ...idle, isDefragmenting: isBusy(world, id) }) },
    records: createMemoryDefragRecords(),
    clock: { now: () => new Date(), monotonicMs: () => Date.now() },
    log: silent,
    progress: () => undefined,
    findNewestBackup: async () => undefined,
  };
  return { parts, lock, etcd };
}

/** One run, with as much time as it takes. */
async function run(parts: DefragParts, policy: Partial<DefragPolicy> = {}): Promise<DefragRun> {
  let isOver = false;
  const running = runDefrag(
    parts,
    {
      policy: { ...defaults, ...policy },
      request: { forceRule: false, acceptUnsafeVersion: false },
      quotaBytes: undefined,
      pauseMs: 1000,
      disarmNospace: true,
      holder: 'test',
    },
    never,
  ).finally(() => {
    isOver = true;
  });
  running.catch(() => undefined);
  while (!isOver) await vi.advanceTimersByTimeAsync(500);
  return running;
}

const defragmented = ({ commands }: ScriptedEtcd): string[] =>
  commands.filter(({ call }) => call === 'defragment').map(({ member: name }) => name);

describe('a defragmentation that outlives the call', () => {
  // field: F067
  // BC-10
  it('is asked for once, waited for, and done: nobody else is touched before', async () => {
    const world = worldOf();
    const workMs = 4 * minuteMs;
    const quick = (id: bigint) => async () => shrink(world, id);
    const { parts, etcd } = place(world, [
      member(1n, world, quick(1n)),
      member(2n, world, outlasting(world, 2n, workMs)),
      member(3n, world, quick(3n)),
    ]);
    const startedMs = Date.now();
    const { members, stoppedBy } = await run(parts);
    expect(stoppedBy).toBeUndefined();
    expect(members).toMatchObject([
      { name: 'm2', outlastedCall: true, afterBytes: GiB / 4, error: undefined },
      { name: 'm3', outlastedCall: false },
      { name: 'm1', outlastedCall: false },
    ]);
    expect(defragmented(etcd)).toEqual(['m2', 'm3', 'm1']);
    const [, ...others] = etcd.commands;
    for (const { atMs } of others) expect(atMs).toBeGreaterThanOrEqual(startedMs + workMs);
  });

  // field: F068
  it.each([
    ['as usual', 8 * GiB],
    ['past emergencyUsage', 1.05 * GiB],
  ])('and costs the leader its office is tried at most twice in an hour, %s', async (_, quotaBytes) => {
    const world = worldOf({ quotaBytes });
    for (const id of [1n, 3n]) shrink(world, id);
    const flip = (): void => {
      world.leaderId = world.leaderId === 1n ? 3n : 1n;
      world.raftTerm += 1n;
    };
    // Longer than call and wait together, and nothing comes of it.
    const workMs = 20 * minuteMs;
    const failing = (options: { readonly timeoutMs: number }): Promise<void> => {
      world.busyUntilMs.set(2n, Date.now() + workMs);
      return new Promise((__, reject) => {
        setTimeout(() => {
          flip();
          reject(refuses('etcd-deadline'));
        }, options.timeoutMs);
      });
    };
    const nothing = (): Promise<void> => Promise.reject(refuses('internal', 'nobody asked for this one'));
    const { parts, etcd } = place(world, [
      member(1n, world, nothing),
      member(2n, world, failing),
      member(3n, world, nothing),
    ]);
    const beganMs = Date.now();
    // As often as a process begins anew that is restarted again and again.
    while (Date.now() < beganMs + hourMs) {
      await run(parts).catch(() => undefined);
      await vi.advanceTimersByTimeAsync(minuteMs);
    }
    const attempts = defragmented(etcd);
    expect(attempts.length).toBeGreaterThanOrEqual(1);
    expect(attempts.length).toBeLessThanOrEqual(2);
    expect(new Set(attempts)).toEqual(new Set(['m2']));
  });

  // field: F068
  it('is not cancelled because leadership or our own lock is lost meanwhile; the run ends behind it', async () => {
    const world = worldOf();
    let wasAborted = false;
    const { parts, etcd, lock } = place(world, [
      member(1n, world, async () => shrink(world, 1n)),
      member(2n, world, async (_, signal) => {
        world.leaderId = 3n;
        world.raftTerm += 1n;
        lock.takeAway('another');
        await vi.advanceTimersByTimeAsync(minuteMs);
        shrink(world, 2n);
        wasAborted = signal.aborted;
      }),
      member(3n, world, async () => shrink(world, 3n)),
    ]);
    const { members, stoppedBy } = await run(parts);
    expect(wasAborted).toBe(false);
    expect(members).toMatchObject([{ name: 'm2', afterBytes: GiB / 4, error: undefined }]);
    expect(stoppedBy).toMatchObject({ code: 'lock-lost' });
    expect(defragmented(etcd)).toEqual(['m2']);
  });
});

// BC-11
it('roles are looked at again before each step: who leads by then comes last', async () => {
  const world = worldOf();
  const { parts, etcd } = place(world, [
    member(1n, world, async () => shrink(world, 1n)),
    member(2n, world, async () => {
      shrink(world, 2n);
      // The election that a stalled follower costs.
      world.leaderId = 3n;
      world.raftTerm += 1n;
    }),
    member(3n, world, async () => shrink(world, 3n)),
  ]);
  const { moves, stoppedBy } = await run(parts);
  expect(stoppedBy).toBeUndefined();
  expect(etcd.commands.map(({ member: name, call }) => `${call} ${name}`)).toEqual([
    'defragment m2',
    'defragment m1',
    'moveLeader m3',
    'defragment m3',
  ]);
  expect(moves).toEqual([{ from: 'm3', to: 'm1' }]);
});
