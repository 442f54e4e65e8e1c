import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { cleanEnvironment } from '../../support/process.ts';
import { lockKey, shortestTtlMs } from './lock-for.ts';

export interface LockChild extends AsyncDisposable {
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  /** Resolves with the next line it prints. */
  nextLine(): Promise<string>;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** A process of its own that takes the lock; disposing kills it. */
export function startLockChild(endpoints: readonly string[]): LockChild {
  const options = JSON.stringify({ endpoints, key: lockKey, ttlMs: shortestTtlMs });
  const child = spawn(process.execPath, [join(import.meta.dirname, 'lock-holder.fixture.ts'), options], {
    env: cleanEnvironment(),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return {
    process: child,
    nextLine: async () => String((await lines.next()).value),
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
