import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';

/** What one run of a whole process cost. */
export interface Cost {
  readonly wallSeconds: number;
  /** User and system time. */
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
}

/**
 * How often /proc is read. The peak is the kernel's own figure and the CPU time misses at most the last interval; more often
 * would take a tenth of a core from what is measured.
 */
const pollMs = 100;

/** Runs a command to its end and measures the process. Rejects if it fails, with what it printed. */
export async function measure(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Cost> {
  const startedMs = performance.now();
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => printed.push(chunk));
  let usage = { cpuSeconds: 0, peakMemoryBytes: 0 };
  const poll = setInterval(() => void readUsage(child.pid ?? 0).then((read) => (usage = read ?? usage)), pollMs);
  try {
    const [status] = (await once(child, 'exit')) as [number | null];
    const wallSeconds = (performance.now() - startedMs) / 1000;
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${Buffer.concat(printed).toString()}`);
    return { wallSeconds, ...usage };
  } finally {
    clearInterval(poll);
  }
}

/** Linux counts CPU time in ticks of 1/100 s. Source: proc(5). */
const ticksPerSecond = 100;

async function readUsage(pid: number): Promise<Omit<Cost, 'wallSeconds'> | undefined> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const peakKiB = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]);
    // After the process has ended its memory is gone from there: the figure before stands.
    if (Number.isNaN(peakKiB)) return undefined;
    return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond, peakMemoryBytes: peakKiB * 1024 };
  } catch {
    return undefined;
  }
}

/** Median of an odd or even number of values; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
