import { type EtcdVersion, etcdVersions } from '../../support/toolchain.ts';
import { Random } from '../campaign/random.ts';

/** What goes wrong, or only happens, while members are defragmented. */
export const faults = [
  'none',
  'killed',
  'stopped',
  'isolated',
  'lagging',
  'leader moved',
  'snapshot opened',
  'second run',
  'second run without a lock',
  'terminated',
] as const;
export type FaultName = (typeof faults)[number];

/** Relative to the member that is worked on when the fault comes. */
export type Victim = 'target' | 'leader' | 'other';

/**
 * `before` the command starts; right before the call of a step, when its record was just written (`call`); `during` a
 * step; `after` one, in the pause or the look that follow.
 */
export interface Moment {
  readonly kind: 'before' | 'call' | 'during' | 'after';
  readonly step: 1 | 2 | 3;
  /** After what the moment is known by. */
  readonly delayMs: number;
}

export interface Scenario {
  readonly index: number;
  readonly version: EtcdVersion;
  readonly fault: FaultName;
  readonly victim: Victim;
  readonly moment: Moment;
  /** For faults that pass while the command waits. */
  readonly lastsMs: number;
}

/** As many scenarios as asked for, that follow from the seed: every fault equally often, everything else by lot. */
export function drawScenarios(seed: number, count: number): readonly Scenario[] {
  const random = new Random(seed);
  const rank = new Map(faults.map((fault) => [fault, random.between(0, 1_000_000)]));
  const shuffled = faults.toSorted((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0));
  return Array.from({ length: count }, (_, index) => {
    const fault = shuffled[index % shuffled.length] ?? 'none';
    const kind = random.pick(['before', 'call', 'during', 'after'] as const);
    // A run has to be there to be ended: while it starts and looks.
    const most = { before: fault === 'terminated' ? 1_500 : 0, call: 40, during: 120, after: 500 }[kind];
    return {
      index,
      version: etcdVersions[index % etcdVersions.length] ?? '3.6',
      fault,
      victim: random.pick(['target', 'leader', 'other']),
      moment: { kind, step: random.pick([1, 2, 3] as const), delayMs: random.between(0, most) },
      lastsMs: random.between(1_500, 4_500),
    };
  });
}

export function describeScenario({ index, version, fault, victim, moment }: Scenario): string {
  const when = moment.kind === 'before' ? 'before the start' : `${moment.kind} step ${moment.step}`;
  return `run ${index}, etcd ${version}: ${fault}, ${victim}, ${when} + ${moment.delayMs} ms`;
}
