import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cleanEnvironment } from '../../support/process.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { etcdBinary } from '../../support/toolchain.ts';
import { type EndedWarden, type RunningWarden, startWarden } from '../support/warden-process.ts';
import { makeTempFolder } from '../support/warden.ts';
import type { Arena } from './arena.ts';
import type { Scenario } from './scenario.ts';

/** A fault as it came about. */
export interface Injection {
  readonly victim: string;
  /** When it was there for all to see. */
  readonly atMs: number;
  /** When it was over; undefined: not yet. */
  readonly endedMs: number | undefined;
  /** Of a second run. */
  readonly other: Promise<EndedWarden> | undefined;
  undo(): Promise<void>;
}

type Undo = () => Promise<unknown>;

/** Brings the fault about, and resolves once it is there. */
export async function inject(
  { fault }: Scenario,
  victim: string,
  arena: Arena,
  run: () => RunningWarden,
): Promise<Injection> {
  const { process } = arena.memberOf(victim);
  const peer = arena.peers.get(victim);
  if (peer === undefined) throw new Error(`no peer ${victim}`);
  switch (fault) {
    case 'none':
      return made(victim, async () => undefined);
    case 'killed':
      process.signal('SIGKILL');
      await process.exited;
      return made(victim, () => arena.restart(victim));
    case 'stopped':
      process.signal('SIGSTOP');
      return made(victim, async () => process.signal('SIGCONT'));
    case 'isolated':
      arena.network.break(peer, { kind: 'isolate' });
      return made(victim, async () => arena.network.heal());
    case 'lagging': {
      // A writer that outruns the link: some 400 KB/s against 60 KB/s.
      arena.network.break(peer, { kind: 'throttle', bytesPerSecond: 60_000 });
      const writing = keepWriting(arena, victim);
      return made(victim, async () => {
        await writing.stop();
        arena.network.heal();
      });
    }
    case 'leader moved':
      await moveLeader(arena, victim);
      return made(victim, async () => undefined);
    case 'snapshot opened':
      return made(victim, await openSlowSnapshot(arena, victim));
    case 'second run':
    case 'second run without a lock': {
      const { locking, lockless } = arena.configFiles;
      const second = startWarden(['defrag', '--json'], { configFile: fault === 'second run' ? locking : lockless });
      return made(victim, () => second.ended, second.ended);
    }
    case 'terminated':
      run().signal('SIGTERM');
      return made(victim, async () => undefined);
  }
}

function made(victim: string, undo: Undo, other?: Promise<EndedWarden>): Injection {
  let endedMs: number | undefined;
  let undoing: Promise<unknown> | undefined;
  return {
    victim,
    atMs: Date.now(),
    get endedMs() {
      return endedMs;
    },
    other,
    undo: async () => {
      if (undoing === undefined) {
        endedMs = Date.now();
        undoing = undo();
      }
      await undoing;
    },
  };
}

/** Through another member: one that is behind answers late, which would slow the writer down to its pace. */
function keepWriting({ cluster, clients }: Arena, victim: string): { stop(): Promise<void> } {
  const client = clients[cluster.members.findIndex(({ name }) => name !== victim)];
  if (client === undefined) throw new Error(`no member but ${victim}`);
  let isOver = false;
  const value = Buffer.alloc(1_000, 'x');
  const write = async (worker: number): Promise<void> => {
    for (let index = 0; !isOver; index++) {
      await client
        .put(`/written/${worker}/${index % 100}`)
        .value(value)
        .catch(() => undefined);
    }
  };
  const writers = [0, 1, 2, 3].map(write);
  return {
    stop: async () => {
      isOver = true;
      await Promise.all(writers);
    },
  };
}

/** To the victim, or to another one where it leads already. */
async function moveLeader(arena: Arena, victim: string): Promise<void> {
  const leader = arena.leader();
  const to = [victim, ...arena.cluster.members.map(({ name }) => name)].find((name) => name !== leader) ?? victim;
  await promisify(execFile)(
    etcdBinary('etcdctl', arena.cluster.version),
    [`--endpoints=${arena.memberOf(leader).endpoint}`, 'move-leader', arena.peers.get(to)?.id ?? ''],
    { env: cleanEnvironment() },
    // While a member is defragmented a transfer may come to nothing, which is a fault as well.
  ).catch(() => undefined);
}

/** A stranger's snapshot that takes its time; resolves once the member counts it, or cannot while it defragments. */
async function openSlowSnapshot(arena: Arena, victim: string): Promise<Undo> {
  const { endpoint } = arena.memberOf(victim);
  const folder = await makeTempFolder();
  const proxy = await startTcpProxy(endpoint);
  proxy.set({ kind: 'throttle', bytesPerSecond: 1_000_000 });
  const child = spawn(
    etcdBinary('etcdctl', arena.cluster.version),
    [`--endpoints=http://${proxy.address}`, 'snapshot', 'save', join(folder.path, 'stranger.db')],
    { env: cleanEnvironment(), stdio: 'ignore' },
  );
  const exited = once(child, 'exit');
  await arena.sampler.next(
    ({ member, openSnapshots }) => member === victim && openSnapshots > 0,
    AbortSignal.timeout(5_000),
  );
  return async () => {
    child.kill('SIGKILL');
    await exited;
    await proxy[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
    await arena.sampler.next(
      ({ member, openSnapshots }) => member === victim && openSnapshots === 0,
      AbortSignal.timeout(20_000),
    );
  };
}
