import { Registry } from 'prom-client';
import type { Family, MetricsExport, Sample } from '../../ports/metrics-export.ts';
import type { Metrics } from '../../ports/metrics.ts';
import { createAgentMetrics } from './agent-metrics.ts';
import { createBackupMetrics } from './backup-metrics.ts';
import { openMetricsContentType, textContentType, writeOpenMetrics, writeText } from './exposition.ts';
import { createJobMetrics } from './job-metrics.ts';
import { createMemberMetrics } from './member-metrics.ts';
import { catalogue } from './metric-catalogue.ts';
import type { CataloguedFamily } from './metric-family.ts';
import { prefersOpenMetrics } from './negotiate-format.ts';
import { createProcessMetrics } from './process-metrics.ts';
import { createRepositoryMetrics } from './repository-metrics.ts';
import { selectRunFacts } from './run-facts.ts';

export interface MetricsOptions {
  /** A label of every series. */
  readonly cluster: string;
  readonly version: string;
}

/** Turns events into series, and keeps them for as long as the process lives. */
export function createMetrics({ cluster, version }: MetricsOptions): Metrics & MetricsExport {
  const registry = new Registry();
  registry.setDefaultLabels({ cluster });
  const events: Metrics = {
    ...createAgentMetrics(registry, version),
    ...createJobMetrics(registry),
    ...createBackupMetrics(registry),
    ...createRepositoryMetrics(registry),
    ...createMemberMetrics(registry),
  };
  createProcessMetrics(registry);
  return {
    ...events,
    render: async (accept) => {
      const families = await collect(registry);
      return prefersOpenMetrics(accept)
        ? { contentType: openMetricsContentType, body: writeOpenMetrics(families) }
        : { contentType: textContentType, body: writeText(families) };
    },
    runFacts: async () => selectRunFacts(cluster, await collect(registry)),
  };
}

const rows: readonly CataloguedFamily[] = Object.values(catalogue);

/** Everything that is known now, in the order of the catalogue; families of which nothing is known are left out. */
async function collect(registry: Registry): Promise<Family[]> {
  const collected = new Map((await registry.getMetricsAsJSON()).map(({ name, values }) => [name, values]));
  return rows
    .map(({ name, type, help }) => ({ name, type, help, samples: (collected.get(name) ?? []).map(toSample(name)) }))
    .filter(({ samples }) => samples.length > 0);
}

/** Values of a histogram have names of their own, which the types of prom-client leave out here. */
const toSample =
  (family: string) =>
  ({ metricName = family, labels, value }: CollectedValue): Sample => ({
    name: metricName,
    labels: Object.fromEntries(Object.entries(labels).map(([label, text]) => [label, String(text)])),
    value,
  });

interface CollectedValue {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly value: number;
}
