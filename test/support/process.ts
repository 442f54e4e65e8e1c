import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** The environment of everything that tests start: no AWS, etcdctl or proxy setting of this machine leaks in. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS_|ETCDCTL_|ETCD_)|_proxy$/i.test(name));
  return { ...Object.fromEntries(kept), ...extra };
}

/** Free loopback ports, distinct from one another. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

export interface ServerProcess extends AsyncDisposable {
  readonly pid: number;
  /** Everything it printed so far, for messages of failed tests. */
  output(): string;
  /** SIGKILL, SIGSTOP, SIGCONT … */
  signal(name: NodeJS.Signals): void;
  /** Resolves once the process is gone. */
  readonly exited: Promise<void>;
}

/** Starts a server and waits until `ready` answers true; disposing kills it and waits for its end. */
export async function startServer(
  command: string,
  args: readonly string[],
  ready: () => Promise<boolean>,
  options: { readonly env?: Readonly<Record<string, string>>; readonly readyWithinMs?: number } = {},
): Promise<ServerProcess> {
  const child = spawn(command, args, { env: cleanEnvironment(options.env), stdio: ['ignore', 'pipe', 'pipe'] });
  const printed: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed.push(chunk.toString());
      if (printed.length > 2000) printed.splice(0, 1000);
    });
  }
  const exited = once(child, 'exit').then(() => undefined);
  const server: ServerProcess = {
    pid: child.pid ?? 0,
    output: () => printed.join(''),
    signal: (name) => void child.kill(name),
    exited,
    [Symbol.asyncDispose]: () => end(child, exited),
  };
  const deadline = Date.now() + (options.readyWithinMs ?? 30_000);
  while (!(await ready().catch(() => false))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await end(child, exited);
      throw new Error(`${command} did not become ready:\n${printed.join('').slice(-4000)}`);
    }
    await delay(50);
  }
  return server;
}

async function end(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGCONT');
  child.kill('SIGKILL');
  await exited;
}
