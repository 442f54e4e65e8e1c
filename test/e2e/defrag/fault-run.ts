import type { EndedWarden, RunningWarden } from '../support/warden-process.ts';
import { startWarden } from '../support/warden-process.ts';
import type { Arena } from './arena.ts';
import { inject, type Injection } from './injection.ts';
import type { DefragCall } from './member-log.ts';
import type { Sample } from './sampler.ts';
import type { Scenario, Victim } from './scenario.ts';
import { awaitMoment } from './trigger.ts';

/** Two looks at a member that does not answer. */
const longestMs = 25_000;

/** Everything that a run can be judged by, most of it from etcd's side. */
export interface Evidence {
  readonly scenario: Scenario;
  readonly startedMs: number;
  readonly endedMs: number;
  /** From the members' logs, by begin. */
  readonly calls: readonly DefragCall[];
  readonly samples: readonly Sample[];
  /** undefined where the command was over before the moment came. */
  readonly injection: Injection | undefined;
  /** The run, and the second one where there was one. */
  readonly runs: readonly EndedWarden[];
}

/** One `defrag` over a cluster that is due, with one fault; everything is well again afterwards. */
export async function carryOut(arena: Arena, scenario: Scenario): Promise<Evidence> {
  await arena.fragment();
  arena.sampler.take();
  const startedMs = Date.now();
  const { moment, fault } = scenario;
  const over = new AbortController();
  const { locking, lockless } = arena.configFiles;
  const configFile = fault === 'second run without a lock' ? lockless : locking;
  const run = (): RunningWarden => startWarden(['defrag', '--json'], { configFile });
  let injection: Injection | undefined;
  let warden: RunningWarden | undefined;
  try {
    // A run that is not there yet cannot be ended.
    if (moment.kind === 'before' && fault !== 'terminated') {
      injection = await inject(scenario, chooseVictim(scenario.victim, arena.firstFollower(), arena), arena, run);
    }
    const started = (warden = run());
    const injecting =
      injection === undefined ? injectInTime(arena, scenario, () => started, over.signal) : Promise.resolve(injection);
    const ended = await started.ended;
    const endedMs = Date.now();
    over.abort();
    injection = await injecting;
    const other = await injection?.other;
    await injection?.undo();
    await arena.settle();
    return {
      scenario,
      startedMs,
      endedMs,
      calls: arena.callsSince(startedMs),
      samples: arena.sampler.take(),
      injection,
      runs: other === undefined ? [ended] : [ended, other],
    };
  } finally {
    over.abort();
    await warden?.[Symbol.asyncDispose]();
    await injection?.undo();
  }
}

/** Waits for the moment and brings the fault about; ends one that the command waits for after its time. */
async function injectInTime(
  arena: Arena,
  scenario: Scenario,
  run: () => RunningWarden,
  over: AbortSignal,
): Promise<Injection | undefined> {
  const { moment, victim, lastsMs } = scenario;
  let target: string;
  try {
    target = await awaitMoment(moment, arena, over);
  } catch (error) {
    if (over.aborted) return undefined;
    throw error;
  }
  const injection = await inject(scenario, chooseVictim(victim, target, arena), arena, run);
  if (injection.other !== undefined) return injection;
  // A command that waits for a member would wait for its whole limit of a minute and more.
  const isWaitedFor = injection.victim === target && (moment.kind === 'call' || moment.kind === 'during');
  // What goes wrong with it is told by whoever awaits it at the end.
  const timer = setTimeout(() => void injection.undo().catch(() => undefined), isWaitedFor ? lastsMs : longestMs);
  over.addEventListener('abort', () => clearTimeout(timer));
  return injection;
}

function chooseVictim(victim: Victim, target: string, arena: Arena): string {
  const leader = arena.leader();
  if (victim === 'target') return target;
  if (victim === 'leader') return leader;
  const others = arena.cluster.members.map(({ name }) => name).filter((name) => name !== target);
  return others.find((name) => name !== leader) ?? target;
}
