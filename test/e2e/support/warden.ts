import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { cleanEnvironment } from '../../support/process.ts';

const mainFile = resolve(import.meta.dirname, '../../../src/main.ts');

export interface RunOptions {
  /** Passed as --config. */
  readonly configFile?: string;
  /** Added to an environment without AWS, etcdctl or proxy settings of this machine. */
  readonly env?: Readonly<Record<string, string>>;
  /** Aborting sends SIGTERM, as a supervisor would. */
  readonly signal?: AbortSignal;
}

export interface WardenRun {
  /** As a shell tells it: 128+n for a process that a signal ended. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as JSON; throws with all that was printed where it is none. */
  json<Document>(): Document;
}

export interface TempFolder extends AsyncDisposable {
  readonly path: string;
}

/** Runs the command line as its own process, as an operator does; resolves with whatever came of it. */
export async function runWarden(args: readonly string[], options: RunOptions = {}): Promise<WardenRun> {
  const config = options.configFile === undefined ? [] : ['--config', options.configFile];
  const child = spawn(process.execPath, [mainFile, ...config, ...args], {
    env: cleanEnvironment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const terminate = (): void => void child.kill('SIGTERM');
  options.signal?.addEventListener('abort', terminate, { once: true });
  if (options.signal?.aborted) terminate();
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (printed[name] += text));
  }
  const [code, signalName] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  options.signal?.removeEventListener('abort', terminate);
  return {
    status: code ?? 128 + signalNumber(signalName),
    ...printed,
    json<Document>() {
      try {
        return JSON.parse(printed.stdout) as Document;
      } catch (cause) {
        throw new Error(`no JSON on standard output of ${args.join(' ')}:\n${printed.stdout}\n${printed.stderr}`, { cause });
      }
    },
  };
}

/** Writes a configuration, as JSON, which is YAML too; resolves with its path. */
export async function writeConfig(directory: string, config: object): Promise<string> {
  const file = join(directory, 'config.yaml');
  await writeFile(file, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  return file;
}

/** A folder that is gone once disposed. */
export async function makeTempFolder(): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), 'etcd-warden-e2e-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function signalNumber(name: NodeJS.Signals | null): number {
  const numbers: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
  return (name === null ? undefined : numbers[name]) ?? 0;
}
