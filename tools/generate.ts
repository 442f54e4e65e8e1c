import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderExample } from '../src/config/example.ts';
import { renderReference } from '../src/config/reference.ts';
import { renderErrorReference } from './generate-errors.ts';
import { renderMetricReference } from './generate-metrics.ts';
import { renderRetentionExample } from './retention-example.ts';

/** Files that are written from the source; a test proves that the committed ones are what these functions give. */
export const generatedFiles: Readonly<Record<string, (current: string) => string>> = {
  'config.example.yaml': renderExample,
  'docs/configuration.md': renderReference,
  'docs/errors.md': renderErrorReference,
  'docs/metrics.md': (current) => withExample(current, renderMetricReference()),
  'docs/retention.md': (current) => withExample(current, renderRetentionExample()),
};

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
  const root = join(import.meta.dirname, '..');
  for (const [path, render] of Object.entries(generatedFiles)) {
    const target = join(root, path);
    await writeFile(target, render(await readFile(target, 'utf8')));
    console.log(path);
  }
}
