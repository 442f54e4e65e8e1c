import { Random } from '../campaign/random.ts';

/**
 * What a backup is at when its signal comes: Node starts and the configuration is read (`start`), the member is asked
 * (`connect`), bytes come (`stream`), an upload is begun (`begin`), a part of it is sent (`part`), the object becomes
 * visible (`complete`), its manifest is written (`manifest`), older backups are removed (`prune`), the result is printed
 * (`exit`).
 */
export const stages = ['start', 'connect', 'stream', 'begin', 'part', 'complete', 'manifest', 'prune', 'exit'] as const;
export type Stage = (typeof stages)[number];

export interface Moment {
  readonly index: number;
  readonly stage: Stage;
  /** After what the stage is known by. */
  readonly delayMs: number;
  /** In `stream`: after so many bytes. */
  readonly streamedBytes: number;
  /** In `part`: which one. */
  readonly part: number;
  /** Whether sealed bytes lie in a file on their way. */
  readonly spool: boolean;
}

/** About as long as each stage lasts on a machine that has other things to do. */
const longestDelayMs: Readonly<Record<Stage, number>> = {
  start: 1200,
  connect: 60,
  stream: 20,
  begin: 12,
  part: 60,
  complete: 50,
  manifest: 25,
  prune: 40,
  exit: 4,
};

/** As many moments as asked for, that follow from the seed: every stage equally often, everything else by lot. */
export function drawMoments(
  seed: number,
  count: number,
  { streamBytes, partCount }: { readonly streamBytes: number; readonly partCount: number },
): readonly Moment[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, index) => {
    const stage = stages[index % stages.length] ?? 'start';
    return {
      index,
      stage,
      delayMs: random.between(0, longestDelayMs[stage]),
      streamedBytes: random.between(50_000, streamBytes),
      part: random.between(1, partCount),
      spool: random.chance(0.5),
    };
  });
}

export function describeMoment({ index, stage, delayMs, streamedBytes, part, spool }: Moment): string {
  const where = stage === 'stream' ? `stream at ${streamedBytes} bytes` : stage === 'part' ? `part ${part}` : stage;
  return `moment ${index}: ${where} + ${delayMs} ms${spool ? ', with a spool' : ''}`;
}
