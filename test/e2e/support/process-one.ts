import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { cleanEnvironment } from '../../support/process.ts';
import type { StartOptions } from './warden-process.ts';

const mainFile = resolve(import.meta.dirname, '../../../src/main.ts');

/** The command line as the first process of a PID namespace, as a container has it. Disposing kills it. */
export interface ProcessOne extends AsyncDisposable {
  signal(name: NodeJS.Signals): void;
  /** Resolves once standard error holds this text; rejects if the process ends without. */
  printed(expected: string): Promise<void>;
  readonly ended: Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** Needs root, as every namespace does that no user may make. */
export async function startAsProcessOne(args: readonly string[], options: StartOptions): Promise<ProcessOne> {
  const { configFile, env, nodeArgs = [] } = options;
  const command = [process.execPath, ...nodeArgs, mainFile, '--config', configFile, ...args];
  const child = spawn('unshare', ['--pid', '--fork', '--kill-child', '--', ...command], {
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  const waiting = new Set<() => void>();
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
    for (const look of waiting) look();
  });
  const ended = Promise.all([once(child, 'close'), text(child.stdout)]).then(([[status], stdout]) => {
    return { status: status as number | null, stdout, stderr };
  });
  /** As the tests see it; in its own namespace it is 1. */
  const pid = await findOnlyChild(child.pid ?? 0);
  return {
    signal: (name) => process.kill(pid, name),
    printed: async (expected) => {
      const { promise, resolve: found } = Promise.withResolvers<void>();
      const look = (): void => {
        if (stderr.includes(expected)) found();
      };
      waiting.add(look);
      look();
      await Promise.race([
        promise,
        ended.then(() => Promise.reject(new Error(`ended without ${expected}: ${stderr}`))),
      ]);
    },
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function findOnlyChild(pid: number): Promise<number> {
  for (;;) {
    const [child] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'))
      .split(' ')
      .filter((one) => one !== '');
    if (child !== undefined) return Number(child);
    await delay(5);
  }
}
