import { catalogue } from '../../../src/adapters/observability/metric-catalogue.ts';
import type { CataloguedFamily } from '../../../src/adapters/observability/metric-family.ts';
import { readRules } from './alert-file.ts';

/** What kube-state-metrics says of CronJobs, where it is there. Source: its docs/metrics/workload/cronjob-metrics.md. */
const ofKubeStateMetrics = [
  'kube_cronjob_created',
  'kube_cronjob_next_schedule_time',
  'kube_cronjob_spec_suspend',
  'kube_cronjob_status_last_schedule_time',
  'kube_cronjob_status_last_successful_time',
];

/** Labels that the scrape adds to every series, or that every series of ours has. */
const everywhere = new Set(['cluster', 'job', 'instance']);

const families = new Map<string, CataloguedFamily>(
  Object.values<CataloguedFamily>(catalogue).flatMap((family) =>
    namesOf(family).map((name): [string, CataloguedFamily] => [name, family]),
  ),
);

/**
 * The metrics, labels and values of labels in an expression that nobody exports; with none, a query can find something.
 * Values count where the catalogue knows the closed set that they come from.
 */
export function findUnknown(expression: string): string[] {
  const others = new Set([...ofKubeStateMetrics, 'ALERTS', ...readRules().recordings.map(({ record }) => record)]);
  const mentions = [...expression.matchAll(/\b((?:etcd_|process_|kube_|ALERTS)[\w:]*)(?:\{([^}]*)\})?/g)];
  return mentions.flatMap(([, name = '', matchers = '']) => {
    if (others.has(name)) return [];
    const family = families.get(name);
    return family === undefined ? [name] : findUnknownMatchers(family, matchers);
  });
}

function findUnknownMatchers({ name, labels }: CataloguedFamily, matchers: string): string[] {
  return [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/g)].flatMap(([, label = '', pattern = '']) => {
    const values = labels[label];
    if (values === undefined) return everywhere.has(label) ? [] : [`${name}{${label}}`];
    // A variable of a dashboard stands for any value.
    if (typeof values === 'string' || pattern.startsWith('$')) return [];
    const known = Object.keys(values);
    return pattern
      .split('|')
      .filter((alternative) => !known.some((value) => new RegExp(`^(?:${alternative})$`).test(value)))
      .map((alternative) => `${name}{${label}="${alternative}"}`);
  });
}

function namesOf({ name, type }: CataloguedFamily): string[] {
  return type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => `${name}${suffix}`) : [name];
}
