import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StartOptions, startWarden } from './warden-process.ts';

/** Runs a command line that must succeed, as its own process with --json; resolves with the document that it prints. */
export async function runWarden(args: readonly string[], options: StartOptions): Promise<unknown> {
  await using warden = startWarden([...args, '--json'], options);
  const { status, signal, stdout, stderr } = await warden.ended;
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status ?? signal}:\n${stdout}\n${stderr}`);
  return JSON.parse(stdout);
}

/** Writes a configuration, as JSON, which is YAML too; resolves with its path. */
export async function writeConfig(directory: string, config: object): Promise<string> {
  const file = join(directory, 'config.yaml');
  // The lock writes to etcd, and most tests count revisions; those of the lock turn it on.
  const whole = { coordination: { lock: 'none' }, ...config };
  await writeFile(file, JSON.stringify(whole, undefined, 2), { mode: 0o600 });
  return file;
}

export interface TempFolder extends AsyncDisposable {
  readonly path: string;
}

/** A folder that is gone once disposed. */
export async function makeTempFolder(): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), 'etcd-warden-e2e-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
