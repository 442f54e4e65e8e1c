import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '../../support/process.ts';
import { type EndedWarden, type RunningWarden, type StartOptions, startWarden } from './warden-process.ts';

export interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** What the tests read of /api/status. */
export interface StatusDocument {
  readonly verdict: { readonly level: string; readonly sentence: string };
  readonly problems: readonly { readonly text: string }[];
  readonly repositories: readonly {
    readonly name: string;
    readonly newest: { readonly id: string } | null;
    readonly newestVerified: { readonly id: string } | null;
    readonly error: { readonly code: string } | null;
  }[];
  readonly running: readonly { readonly job: string; readonly stage: string }[];
  readonly lastErrors: readonly { readonly job: string; readonly code: string; readonly times: number }[];
}

/** `etcd-warden run` as a process, and what it serves. Disposing kills it. */
export interface RunningAgent extends AsyncDisposable {
  readonly warden: RunningWarden;
  readonly url: string;
  get(path: string): Promise<{ readonly status: number; readonly body: string }>;
  status(): Promise<StatusDocument>;
  /** The value of the series whose name and labels begin so, without `cluster`; undefined where there is none. */
  metric(series: string): Promise<number | undefined>;
  log(): readonly LogLine[];
  /** Tells it to end, and waits until it has. */
  end(signal?: NodeJS.Signals): Promise<EndedWarden>;
}

/** Starts it on the configuration that `configure` writes for a port, and waits until it serves. */
export async function startAgent(
  configure: (listen: string) => Promise<string>,
  options: Omit<StartOptions, 'configFile'> = {},
): Promise<RunningAgent> {
  const [port = 0] = await freePorts(1);
  const configFile = await configure(`127.0.0.1:${port}`);
  const warden = startWarden(['run', '--log-level', 'debug'], { ...options, configFile });
  const url = `http://127.0.0.1:${port}`;
  const get = async (path: string): Promise<{ status: number; body: string }> => {
    const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(5000) });
    return { status: response.status, body: await response.text() };
  };
  const agent: RunningAgent = {
    warden,
    url,
    get,
    status: async () => JSON.parse((await get('/api/status')).body) as StatusDocument,
    metric: async (series) => readSeries((await get('/metrics')).body, series),
    log: () => readLog(warden.printed().stderr),
    end: (signal = 'SIGTERM') => {
      warden.signal(signal);
      return warden.ended;
    },
    [Symbol.asyncDispose]: () => warden[Symbol.asyncDispose](),
  };
  const ended = warden.ended.then(({ stderr }) => {
    throw new Error(`the agent ended at once:\n${stderr}`);
  });
  const serves = until(
    () =>
      get('/livez').then(
        ({ status }) => status === 200,
        () => false,
      ),
    'it serves',
  );
  try {
    await Promise.race([serves, ended]);
  } catch (error) {
    await warden[Symbol.asyncDispose]();
    throw error;
  }
  ended.catch(() => undefined);
  return agent;
}

/** Asks again and again until the answer is yes; rejects after `withinMs`. */
export async function until(holds: () => Promise<boolean> | boolean, what: string, withinMs = 30_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await delay(100);
  }
}

function readLog(stderr: string): readonly LogLine[] {
  // The last line may still be on its way.
  const lines = stderr
    .slice(0, stderr.lastIndexOf('\n') + 1)
    .trim()
    .split('\n');
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine);
}

function readSeries(text: string, series: string): number | undefined {
  const wanted = series.replace(/\}$/, '');
  const line = text
    .split('\n')
    .find((candidate) => candidate.startsWith(wanted) && /[ {,]/.test(candidate[wanted.length] ?? ' '));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
}
