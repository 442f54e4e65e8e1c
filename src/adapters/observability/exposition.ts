import type { Family, Sample } from '../../ports/metrics-export.ts';

/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
export const textContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** https://prometheus.io/docs/specs/om/open_metrics_spec/ */
export const openMetricsContentType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/*
 * prom-client writes both formats, but its registry is of one format only: set to the other one it takes `_total` off the
 * names of its counters for good, and what it writes next in the first format lacks it. It writes `Nan`, too. So the
 * samples are its own, and the text is ours.
 */

export function writeText(families: readonly Family[]): string {
  return families
    .map(({ name, type, help, samples }) => {
      const head = `# HELP ${name} ${escape(help)}\n# TYPE ${name} ${type}\n`;
      return head + samples.map((sample) => `${writeSample(sample)}\n`).join('');
    })
    .join('');
}

export function writeOpenMetrics(families: readonly Family[]): string {
  const blocks = families.map(({ name, type, help, samples }) => {
    // The family of a counter is named without the suffix that its samples have.
    const familyName = type === 'counter' ? name.replace(/_total$/, '') : name;
    const head = `# TYPE ${familyName} ${type}\n# HELP ${familyName} ${escapeQuotes(escape(help))}\n`;
    return head + samples.map((sample) => `${writeSample(withCanonicalBound(sample))}\n`).join('');
  });
  return `${blocks.join('')}# EOF\n`;
}

function writeSample({ name, labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeQuotes(escape(text))}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${writeNumber(value)}`;
}

/** "1.0", not "1": strict readers of OpenMetrics refuse other forms, as bounds are compared as text. */
function withCanonicalBound(sample: Sample): Sample {
  const { le } = sample.labels;
  return le === undefined || !/^\d+$/.test(le) ? sample : { ...sample, labels: { ...sample.labels, le: `${le}.0` } };
}

function writeNumber(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

function escape(text: string): string {
  return text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`);
}

function escapeQuotes(text: string): string {
  return text.replaceAll('"', String.raw`\"`);
}
