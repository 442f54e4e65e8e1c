import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, startServer } from '../../support/process.ts';
import type { FoundSeries } from '../../support/prometheus.ts';
import { serverBinary } from '../../support/toolchain.ts';

export interface EvaluatedRule {
  readonly name: string;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
  /** Of an alert. */
  readonly state?: 'inactive' | 'pending' | 'firing';
}

export interface RuledPrometheus extends AsyncDisposable {
  query(expression: string): Promise<FoundSeries[]>;
  rules(): Promise<EvaluatedRule[]>;
}

/** A real Prometheus that scrapes the addresses with `honor_labels` and evaluates a rule file, several times a second. */
export async function startRuledPrometheus(addresses: readonly string[], ruleFile: string): Promise<RuledPrometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'warden-prometheus-'));
  const configFile = join(directory, 'prometheus.json');
  // JSON is YAML.
  await writeFile(
    configFile,
    JSON.stringify({
      global: { scrape_interval: '200ms', scrape_timeout: '200ms', evaluation_interval: '200ms' },
      rule_files: [ruleFile],
      scrape_configs: [{ job_name: 'etcd-warden', honor_labels: true, static_configs: [{ targets: addresses }] }],
    }),
  );
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer(
    serverBinary('prom/prometheus'),
    [`--config.file=${configFile}`, `--storage.tsdb.path=${directory}/data`, `--web.listen-address=127.0.0.1:${port}`],
    async () => (await fetch(`${url}/-/ready`)).ok,
  );
  return {
    query: async (expression) => {
      const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
      const { data, error } = (await answer.json()) as QueryAnswer;
      if (data === undefined) throw new Error(`${expression}: ${error}`);
      return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
    rules: async () => {
      const answer = await fetch(`${url}/api/v1/rules`);
      const { data } = (await answer.json()) as { data: { groups: { rules: EvaluatedRule[] }[] } };
      return data.groups.flatMap(({ rules }) => rules);
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
