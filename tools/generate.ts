import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderExample } from '../src/config/example.ts';
import { renderReference } from '../src/config/reference.ts';
import { toolVersion } from '../src/version.ts';
import { renderChartReference } from './chart/reference.ts';
import { renderValuesSchema } from './chart/values-schema.ts';
import { renderErrorReference } from './generate-errors.ts';
import { renderMetricReference } from './generate-metrics.ts';
import { renderRetentionExample } from './retention-example.ts';

const root = join(import.meta.dirname, '..');
const chartValues = 'helm/etcd-warden/values.yaml';

/** Files that are written from the source; a test proves that the committed ones are what these functions give. */
export const generatedFiles: Readonly<Record<string, (current: string) => string>> = {
  'config.example.yaml': renderExample,
  'docs/configuration.md': renderReference,
  'docs/errors.md': renderErrorReference,
  'docs/metrics.md': (current) => withExample(current, renderMetricReference()),
  'docs/retention.md': (current) => withExample(current, renderRetentionExample()),
  'helm/etcd-warden/Chart.yaml': (current) => current.replaceAll(/^((?:appV|v)ersion): .*$/gm, `$1: ${toolVersion}`),
  'helm/etcd-warden/README.md': (current) =>
    withExample(current, renderChartReference(read(chartValues), read('helm/etcd-warden/files/platforms.yaml'))),
  'helm/etcd-warden/values.schema.json': () => renderValuesSchema(read(chartValues)),
  // Helm reads nothing outside the chart.
  'helm/etcd-warden/files/alerts.yaml': () => read('monitoring/alerts.yaml'),
  'helm/etcd-warden/files/dashboard.json': () => read('monitoring/dashboard.json'),
};

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

const exampleBegins = '<!-- Produced by `npm run generate:docs`: begins -->\n';
const exampleEnds = '<!-- ends -->\n';

/** A page written by hand, of which one part is produced. */
function withExample(page: string, example: string): string {
  const from = page.indexOf(exampleBegins);
  const to = page.indexOf(exampleEnds, from);
  if (from < 0 || to < 0) throw new Error('the page does not mark where the example stands');
  return `${page.slice(0, from + exampleBegins.length)}\n${example}\n${page.slice(to)}`;
}

if (import.meta.main) {
  for (const [path, render] of Object.entries(generatedFiles)) {
    const target = join(root, path);
    await writeFile(target, render(await readFile(target, 'utf8')));
    console.log(path);
  }
}
