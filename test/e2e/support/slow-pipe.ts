import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cleanEnvironment } from '../../support/process.ts';
import type { StartOptions } from './warden-process.ts';

const mainFile = resolve(import.meta.dirname, '../../../src/main.ts');
const pageBytes = 4096;
const pauseMs = 20;

export interface SlowlyRead {
  /** null where a signal ended the process. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line to its end, with both of its outputs read by somebody slow. `meet` may send it a signal. */
export async function runIntoSlowPipes(
  args: readonly string[],
  { configFile, env, nodeArgs = [] }: StartOptions,
  meet: (signal: (name: NodeJS.Signals) => void) => Promise<void> = () => Promise.resolve(),
): Promise<SlowlyRead> {
  const folder = mkdtempSync(join(tmpdir(), 'etcd-warden-pipes-'));
  try {
    using output = await openSlowPipe(folder, 'stdout');
    using errors = await openSlowPipe(folder, 'stderr');
    const child = spawn(process.execPath, [...nodeArgs, mainFile, '--config', configFile, ...args], {
      env: cleanEnvironment(env),
      stdio: ['ignore', output.writeEnd, errors.writeEnd],
    });
    const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    const reading = Promise.all([output.readAll(ended), errors.readAll(ended)]);
    await Promise.race([meet((name) => void child.kill(name)), ended]);
    const [status, signal] = await ended;
    const [stdout, stderr] = await reading;
    return { status, signal, stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A pipe that is full and whose reader takes its time, as a log collector may. */
interface SlowPipe extends Disposable {
  /** For the standard output or error of a process. */
  readonly writeEnd: number;
  /** Reads what was written behind the filling, a page at a time with pauses, until `ended` has come and nothing is left. */
  readAll(ended: Promise<unknown>): Promise<string>;
}

async function openSlowPipe(folder: string, name: string): Promise<SlowPipe> {
  const path = join(folder, name);
  await promisify(execFile)('mkfifo', [path]);
  const { O_RDWR, O_WRONLY, O_NONBLOCK } = constants;
  // Reads and writes here never wait; those through the process's own end do.
  const own = openSync(path, O_RDWR | O_NONBLOCK);
  const writeEnd = openSync(path, O_WRONLY);
  let filledBytes = 0;
  for (let written = pageBytes; written > 0; filledBytes += written) {
    written = whileReady(() => writeSync(own, Buffer.alloc(pageBytes, '.'))) ?? 0;
  }
  return {
    writeEnd,
    readAll: async (ended) => {
      const isOver = ended.then(() => true);
      const page = Buffer.alloc(pageBytes);
      const read: Buffer[] = [];
      for (;;) {
        const over = await Promise.race([isOver, delay(pauseMs, false)]);
        const bytes = whileReady(() => readSync(own, page)) ?? 0;
        read.push(Buffer.from(page.subarray(0, bytes)));
        if (over && bytes === 0) return Buffer.concat(read).toString('utf8', filledBytes);
      }
    },
    [Symbol.dispose]: () => {
      closeSync(own);
      closeSync(writeEnd);
    },
  };
}

/** undefined where the call would have to wait. */
function whileReady(call: () => number): number | undefined {
  try {
    return call();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw error;
  }
}
