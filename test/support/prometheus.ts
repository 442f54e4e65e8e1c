import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cleanEnvironment, freePorts, startServer } from './process.ts';
import { serverBinary } from './toolchain.ts';

export interface ScrapeTarget {
  readonly job: string;
  /** host:port */
  readonly address: string;
  readonly honorLabels: boolean;
}

/** A series that a query found. */
export interface FoundSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface TestPrometheus extends AsyncDisposable {
  query(expression: string): Promise<FoundSeries[]>;
  /** Resolves with what a query finds once that satisfies `isRight`. */
  queryUntil(expression: string, isRight: (found: readonly FoundSeries[]) => boolean): Promise<FoundSeries[]>;
}

/** A real Prometheus on loopback that scrapes the targets several times a second. */
export async function startPrometheus(targets: readonly ScrapeTarget[]): Promise<TestPrometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'warden-prometheus-'));
  const configFile = join(directory, 'prometheus.json');
  const scrapeConfigs = targets.map(({ job, address, honorLabels }) => ({
    job_name: job,
    honor_labels: honorLabels,
    static_configs: [{ targets: [address] }],
  }));
  // JSON is YAML.
  await writeFile(
    configFile,
    JSON.stringify({ global: { scrape_interval: '200ms', scrape_timeout: '200ms' }, scrape_configs: scrapeConfigs }),
  );
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer(
    serverBinary('prom/prometheus'),
    [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    async () => (await fetch(`${url}/-/ready`)).ok,
  );
  const query = async (expression: string): Promise<FoundSeries[]> => {
    const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { data, error } = (await answer.json()) as QueryAnswer;
    if (data === undefined) throw new Error(`${expression}: ${error}`);
    return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  };
  return {
    query,
    queryUntil: async (expression, isRight) => {
      for (;;) {
        const found = await query(expression);
        if (isRight(found)) return found;
        await delay(50);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface QueryAnswer {
  readonly data?: {
    readonly result: readonly { readonly metric: Record<string, string>; readonly value: readonly [number, string] }[];
  };
  readonly error?: string;
}

/** Runs promtool with this on its standard input. Resolves with its exit status and everything that it printed. */
export async function runPromtool(
  args: readonly string[],
  input = '',
): Promise<{ readonly status: number; readonly output: string }> {
  const running = promisify(execFile)(serverBinary('prom/promtool'), args, { env: cleanEnvironment() });
  running.child.stdin?.end(input);
  try {
    const { stdout, stderr } = await running;
    return { status: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, output: stdout + stderr };
  }
}
