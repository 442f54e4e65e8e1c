export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/**
 * The samples of the families in `wanted`, from Prometheus' text format:
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details. Other lines are passed over, whatever
 * they hold, and so is a value that is no finite number.
 */
export function* readSamples(text: string, wanted: ReadonlySet<string>): Generator<Sample> {
  for (const [line, name = ''] of text.matchAll(/^([A-Za-z_:][\w:]*)[{ \t].*$/gm)) {
    if (!wanted.has(name)) continue;
    // Labels, then the value, then perhaps a timestamp.
    const found = /^[\w:]+(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?[ \t\r]*$/.exec(line);
    const value = found === null ? Number.NaN : Number(found[2]);
    if (Number.isFinite(value)) yield { name, labels: readLabels(found?.[1] ?? ''), value };
  }
}

function readLabels(text: string): ReadonlyMap<string, string> {
  const pairs = text.matchAll(/([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g);
  return new Map([...pairs].map(([, name = '', value = '']) => [name, value.replaceAll(/\\(.)/g, unescaped)]));
}

function unescaped(_: string, character: string): string {
  return character === 'n' ? '\n' : character;
}
