import type { LabelValues } from '../src/adapters/observability/label-values.ts';
import { catalogue } from '../src/adapters/observability/metric-catalogue.ts';
import type { CataloguedFamily } from '../src/adapters/observability/metric-family.ts';

const families: readonly CataloguedFamily[] = Object.values(catalogue);

/** The produced part of docs/metrics.md. */
export function renderMetricReference(): string {
  return [
    renderTable(
      ['name', 'type', 'labels', 'what it tells', 'one-shot'],
      families.map((family) => [
        `\`${family.name}\``,
        family.type,
        Object.keys(family.labels)
          .map((label) => `\`${label}\``)
          .join(' '),
        family.help,
        family.handedOnWith === undefined ? '' : 'yes',
      ]),
    ),
    '### Values of labels\n',
    renderTable(['label', 'values'], labelRows()),
    '### Bounds of buckets\n',
    renderTable(
      ['histogram', 'upper bounds in seconds'],
      families.flatMap(({ name, buckets }) => (buckets === undefined ? [] : [[`\`${name}\``, buckets.join(', ')]])),
    ),
  ].join('\n');
}

/** A label means the same in every family, but for one name that has two sets of values: then each says of what. */
function labelRows(): string[][] {
  const uses = families.flatMap(({ name, labels }) =>
    Object.entries(labels).map(([label, values]) => ({ family: name, label, values })),
  );
  const distinct = uses.filter(({ values }, index) => uses.findIndex((use) => use.values === values) === index);
  return distinct.map(({ family, label, values }) => {
    const isAmbiguous = distinct.filter((other) => other.label === label).length > 1;
    return [isAmbiguous ? `\`${label}\` of \`${family}\`` : `\`${label}\``, describeValues(values)];
  });
}

function describeValues(values: LabelValues): string {
  if (typeof values === 'string') return values;
  return Object.entries(values)
    .map(([value, meaning]) => `\`${value}\`: ${meaning}`)
    .join('; ');
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |\n`;
  return [line(head), `|${'---|'.repeat(head.length)}\n`, ...rows.map(line)].join('');
}
