import { isMap, isScalar, LineCounter, parseDocument, visit, type Document, type Scalar, type YAMLError } from 'yaml';
import { mostErrors, quote, type ConfigError } from './config-error.ts';

/** A configuration is a page of text; anything near this is a mistake or an attack. */
export const largestConfigBytes = 2 ** 20;

/** Enough for a policy shared between repositories, too few to blow a small file up. */
const mostAliases = 100;

/** The schema is six levels deep. */
const deepest = 16;

/** A parsed file that still knows where each option stands. */
export interface YamlSource {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

/** Reads YAML 1.2 with its core schema: no merge keys, no duplicate keys, no custom tags, one document. */
export function readYaml(text: string): { readonly source: YamlSource } | { readonly errors: readonly ConfigError[] } {
  if (Buffer.byteLength(text) > largestConfigBytes) return refuse(`is larger than ${largestConfigBytes} bytes`);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    schema: 'core',
    merge: false,
    // Checked below: the library compares each key of a map with every other one, which takes minutes for 1 MiB of keys.
    uniqueKeys: false,
    stringKeys: true,
    prettyErrors: false,
    logLevel: 'error',
  });
  const faults = [...document.errors, ...document.warnings];
  // Composing recurses: brackets by the hundred thousand exhaust the stack, and what follows from it tells nothing.
  if (faults.some(({ code }) => code === 'RESOURCE_EXHAUSTION')) return refuse('is nested too deeply');
  if (faults.length > 0) return { errors: faults.slice(0, mostErrors).map((fault) => toConfigError(fault, lines)) };
  if (document.contents === null) return refuse('is empty');
  if (!isMap(document.contents)) return refuse('must be a map of options');
  const repeated = findRepeatedKeys({ document, lines });
  return repeated.length > 0 ? { errors: repeated } : { source: { document, lines } };
}

/** The file's content as plain data. Keys without a value (`tls:`) are absent, as if they had not been written. */
export function toData({
  document,
}: YamlSource): { readonly data: unknown } | { readonly errors: readonly ConfigError[] } {
  try {
    return { data: withoutNulls(document.toJS({ maxAliasCount: mostAliases }), 0) };
  } catch (error) {
    if (error instanceof ReferenceError) return refuse(`uses more than ${mostAliases} aliases`);
    if (error instanceof RangeError) return refuse('is nested too deeply');
    throw error;
  }
}

function withoutNulls(value: unknown, depth: number): unknown {
  if (depth > deepest) throw new RangeError('nested too deeply');
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  // Kept as undefined rather than removed: an unknown key is an error with or without a value.
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, item === null ? undefined : withoutNulls(item, depth + 1)]),
  );
}

function findRepeatedKeys({ document, lines }: YamlSource): readonly ConfigError[] {
  const repeated: Scalar[] = [];
  visit(document, {
    Map(_, { items }) {
      const keys = items.map(({ key }) => key).filter((key): key is Scalar => isScalar(key));
      const seen = new Set<unknown>();
      for (const key of keys) {
        if (seen.has(key.value)) repeated.push(key);
        seen.add(key.value);
      }
    },
  });
  return repeated
    .sort((one, other) => (one.range?.[0] ?? 0) - (other.range?.[0] ?? 0))
    .slice(0, mostErrors)
    .map((key) => {
      const { line, col } = lines.linePos(key.range?.[0] ?? 0);
      return { line, column: col, message: `the key ${quote(String(key.value))} is given twice` };
    });
}

function toConfigError({ message, pos }: YAMLError, lines: LineCounter): ConfigError {
  const { line, col } = lines.linePos(pos[0]);
  return { line, column: col, message: `not valid YAML: ${message}` };
}

function refuse(complaint: string): { errors: readonly ConfigError[] } {
  return { errors: [{ line: 1, column: 1, message: `the file ${complaint}` }] };
}
