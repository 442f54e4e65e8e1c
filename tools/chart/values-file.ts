import { parse } from 'yaml';

/** A key of values.yaml: where it stands, what it is by default, and what its comment says. */
export interface ChartValue {
  readonly path: readonly string[];
  readonly default: unknown;
  /** Markdown, on one line. */
  readonly description: string;
  /** What the line `@schema` of the comment adds to what the default tells. */
  readonly schema: Readonly<Record<string, unknown>>;
}

/**
 * Every key of values.yaml that a line is given to, in the order of the file. A comment belongs to the key right below it. Maps
 * written on one line, such as `{}`, are values; keys within them have no comment and are not listed.
 */
export function readChartValues(text: string): readonly ChartValue[] {
  const defaults: unknown = parse(text);
  const found: ChartValue[] = [];
  let comment: string[] = [];
  const parents: { indentation: number; key: string }[] = [];
  for (const line of text.split('\n')) {
    const [, note] = /^\s*# ?(.*)$/.exec(line) ?? [];
    const [, blanks, key] = /^( *)([A-Za-z]+):/.exec(line) ?? [];
    if (note !== undefined) comment.push(note);
    if (blanks !== undefined && key !== undefined) {
      while ((parents.at(-1)?.indentation ?? -1) >= blanks.length) parents.pop();
      parents.push({ indentation: blanks.length, key });
      const path = parents.map((parent) => parent.key);
      found.push({ path, default: valueAt(defaults, path), ...readComment(comment) });
    }
    if (note === undefined) comment = [];
  }
  return found;
}

function readComment(lines: readonly string[]): Pick<ChartValue, 'description' | 'schema'> {
  const isSchema = (line: string): boolean => line.startsWith('@schema ');
  const schema = lines.filter(isSchema).map((line) => JSON.parse(line.slice('@schema '.length)) as object);
  return {
    description: lines.filter((line) => !isSchema(line)).join(' '),
    schema: Object.assign({}, ...schema) as Readonly<Record<string, unknown>>,
  };
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], root);
}
