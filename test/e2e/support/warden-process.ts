import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { cleanEnvironment } from '../../support/process.ts';

const mainFile = resolve(import.meta.dirname, '../../../src/main.ts');

export interface StartOptions {
  readonly configFile: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Variables of this machine that the process does not get. */
  readonly without?: readonly string[];
  readonly cwd?: string;
  /** For Node itself, before the file that it runs. */
  readonly nodeArgs?: readonly string[];
}

export interface EndedWarden {
  /** As a shell tells it: 128+n where signal n ended the process. */
  readonly status: number;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as JSON; throws with all that was printed where it is none. */
  json(): unknown;
}

/** The command line as a running process, to be met in the middle of its work. Disposing kills it. */
export interface RunningWarden extends AsyncDisposable {
  /** undefined where the process could not be started. */
  readonly pid: number | undefined;
  /** What it has printed so far. */
  printed(): { readonly stdout: string; readonly stderr: string };
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<EndedWarden>;
}

export function startWarden(args: readonly string[], options: StartOptions): RunningWarden {
  const { configFile, cwd, nodeArgs = [], without = [] } = options;
  const environment = Object.entries(cleanEnvironment(options.env)).filter(([name]) => !without.includes(name));
  const child = spawn(process.execPath, [...nodeArgs, mainFile, '--config', configFile, ...args], {
    env: Object.fromEntries(environment),
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (printed[name] += text));
  }
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]): EndedWarden => {
    return {
      status: (code as number | null) ?? 128 + constants.signals[signal as NodeJS.Signals],
      signal: (signal as NodeJS.Signals | null) ?? undefined,
      ...printed,
      json: () => {
        try {
          return JSON.parse(printed.stdout) as unknown;
        } catch (cause) {
          throw new Error(`${args.join(' ')} printed no JSON:\n${printed.stdout}\n${printed.stderr}`, { cause });
        }
      },
    };
  });
  return {
    pid: child.pid,
    printed: () => ({ ...printed }),
    signal: (name) => void child.kill(name),
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The ended process, which has ended with this status; throws with all that it printed where it has not. */
export function requireStatus(ended: EndedWarden, status: number): EndedWarden {
  if (ended.status === status) return ended;
  throw new Error(`status ${ended.status}, expected ${status}:\n${ended.stdout}\n${ended.stderr}`);
}
