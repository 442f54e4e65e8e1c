import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describeProcessGroup, signalProcessGroup } from './process-group.ts';

export interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** A step that takes longer is ended and has failed. */
  readonly limitMs: number;
}

export interface StepResult {
  readonly ok: boolean;
  readonly seconds: number;
  /** Why it failed; empty where it did not. */
  readonly reason: string;
  /** Whether it ended and left processes behind; they are gone now. */
  readonly leftRunning: boolean;
}

/** How long a step may take to end after it was asked to. */
const graceMs = 10_000;

/**
 * Runs one command without standard input, its output going to ours. It leads a process group of its own, so that
 * at its end, at its limit or when `signal` aborts, everything that it started ends with it. Never rejects.
 */
export async function runStep(step: Step, directory: string, signal: AbortSignal): Promise<StepResult> {
  const startedAt = performance.now();
  const child = spawn(step.command, step.args, {
    cwd: directory,
    env: step.env,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  const outcome = await waitForEnd(child, AbortSignal.any([signal, AbortSignal.timeout(step.limitMs)]));
  const left = child.pid === undefined ? [] : await endStragglers(child.pid);
  const reason = outcome !== '' ? outcome : left.length > 0 ? `it left processes running: ${left.join(', ')}` : '';
  return { ok: reason === '', seconds: (performance.now() - startedAt) / 1000, reason, leftRunning: left.length > 0 };
}

/** The reason of a failure, or an empty string. */
async function waitForEnd(child: ChildProcess, stop: AbortSignal): Promise<string> {
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let kill: NodeJS.Timeout | undefined;
  const end = (): void => {
    signalProcessGroup(child.pid, 'SIGTERM');
    kill = setTimeout(() => signalProcessGroup(child.pid, 'SIGKILL'), graceMs);
  };
  stop.addEventListener('abort', end, { once: true });
  try {
    if (stop.aborted) end();
    const [code, endedBy] = await exited;
    if (stop.aborted) return 'it took too long or was interrupted, and was ended';
    if (endedBy !== null) return `it was ended by ${endedBy}`;
    return code === 0 ? '' : `exit status ${code}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(kill);
    stop.removeEventListener('abort', end);
  }
}

/** Names what outlived the leader of the group for more than a moment, and ends it. */
async function endStragglers(group: number): Promise<string[]> {
  const deadline = performance.now() + 1000;
  let left = await describeProcessGroup(group);
  while (left.length > 0 && performance.now() < deadline) left = await describeProcessGroup(group);
  if (left.length > 0) signalProcessGroup(group, 'SIGKILL');
  return left;
}
