import { channel } from 'node:diagnostics_channel';
import { get, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { vi } from 'vitest';
import type { Parts, Tellers } from '../../../src/agent/compose.ts';
import { Agent } from '../../../src/agent/daemon/agent.ts';
import type { Config } from '../../../src/config/schema.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import { fieldsLog, type LoggedLine } from '../../jobs/repositories.ts';
import { recordedMeasures, type RecordedMeasures } from '../memory-parts.ts';

const limits = 'snapshot: {compression: none, maxStreamHold: 2m}\n';

/** A configuration with these schedules, served at a free port of this machine unless it says where. */
export function configWith(schedules: string, sections = '', listen = '127.0.0.1:0'): Config {
  const http = `http: {listen: "${listen}"}\n`;
  return configOf(`${minimalConfig}${limits}${http}schedules: {${schedules}}\n${sections}`);
}

export interface AgentAtWork {
  readonly log: readonly LoggedLine[];
  readonly measures: RecordedMeasures;
  /** Tells it to end. */
  readonly stop: AbortController;
  /** Resolves with what `run` rejects with. */
  readonly ended: Promise<unknown>;
  /** What it died of, as told before its end. */
  readonly deaths: unknown[];
  /** What `reload` reads from now on. */
  nextConfig: () => Promise<Config>;
  reload(): Promise<void>;
  /** Where it serves. */
  address(): string;
  ask(path: string): Promise<{ readonly status: number; readonly body: string }>;
  /** By the clock on the wall alone. */
  setClock(byMs: number): void;
  /** Lets time pass by every clock. */
  pass(ms: number): Promise<void>;
  /** The fields of every line with this text. */
  logged(message: string): LoggedLine[2][];
}

/** A daemon by the faked clock, with everything but its HTTP server in memory. It is told to end when the stack is left. */
export async function startAgent(
  stack: AsyncDisposableStack,
  config: Config,
  open: (config: Config, tellers: Tellers) => Promise<Parts>,
  stop = new AbortController(),
): Promise<AgentAtWork> {
  const log = fieldsLog();
  const measures = recordedMeasures();
  let aheadMs = 0;
  let address = '';
  const heard = {
    ...log,
    info: (message: string, fields?: LoggedLine[2]) => {
      if (typeof fields?.['listens'] === 'string') address = fields['listens'];
      log.info(message, fields);
    },
  };
  const agent = new Agent({
    config,
    log: heard,
    measures: {
      ...measures,
      render: async () => ({ contentType: 'text/plain', body: 'etcd_warden_build_info 1\n' }),
      runFacts: async () => [],
    },
    clock: { now: () => new Date(Date.now() + aheadMs), monotonicMs: () => Date.now() },
    random: () => 0,
    open,
    reload: () => atWork.nextConfig(),
    onDeath: (reason) => void atWork.deaths.push(reason),
  });
  const ended = agent.run(stop.signal).catch((error: unknown) => error);
  const atWork: AgentAtWork = {
    log: log.lines,
    measures,
    stop,
    ended,
    deaths: [],
    nextConfig: async () => config,
    reload: () => agent.reload(),
    address: () => address,
    ask: (path) => ask(address, path),
    setClock: (byMs) => void (aheadMs += byMs),
    pass: async (ms) => void (await vi.advanceTimersByTimeAsync(ms)),
    logged: (message) => log.lines.flatMap(([, said, fields]) => (said === message ? [fields] : [])),
  };
  stack.defer(async () => {
    stop.abort(new Error('the test is over'));
    await ended;
  });
  // It binds its port by a clock that is not faked.
  await Promise.race([ended, vi.waitUntil(() => address !== '')]);
  return atWork;
}

function ask(address: string, path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    get(`http://${address}${path}`, { agent: false }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    }).on('error', reject);
  });
}

/** The server behind an address: Node tells whoever asks which one got a request. */
export async function innerServer(address: string): Promise<Server> {
  const found = Promise.withResolvers<Server>();
  const listen = (message: unknown): void => found.resolve((message as { server: Server }).server);
  const requests = channel('http.server.request.start');
  requests.subscribe(listen);
  await ask(address, '/livez');
  requests.unsubscribe(listen);
  return found.promise;
}
