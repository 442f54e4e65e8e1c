import { WardenError } from '../errors/warden-error.ts';
import { formatConfigError, type ConfigError, type OptionPath } from './config-error.ts';
import { readPlainScalar, substituteEnvironment, type Environment } from './environment.ts';
import { flattenIssues, toConfigErrors, valueAt, type Issue } from './issues.ts';
import { readBoundedFile } from './read-file.ts';
import { configSchema, type Config } from './schema.ts';
import { scalarAt } from './locate.ts';
import { largestConfigBytes, readYaml, toData, type YamlSource } from './yaml-source.ts';

/**
 * Reads and checks a configuration file. Rejects with `config-not-found` if it cannot be read, and with `config-invalid`
 * if anything in it is wrong: the message lists every error, one a line, and `details.errors` holds the lines.
 */
export async function loadConfig(path: string, environment: Environment): Promise<Config> {
  const result = parseConfig(await readConfigFile(path), path, environment);
  if ('config' in result) return result.config;
  const errors = result.errors.map((error) => formatConfigError(path, error));
  throw new WardenError('config-invalid', errors.join('\n'), { details: { errors } });
}

/** The configuration that `text` describes, or everything that is wrong with it in the order of the file. */
export function parseConfig(
  text: string,
  fileName: string,
  environment: Environment,
): { readonly config: Config } | { readonly errors: readonly ConfigError[] } {
  const yaml = readYaml(text);
  if ('errors' in yaml) return yaml;
  const { source } = yaml;
  const { substituted, unresolved, errors } = substituteEnvironment(source, environment);
  const content = toData(source);
  if ('errors' in content) return content;
  const result = check(content.data, source, substituted);
  if ('issues' in result) {
    const issues = result.issues.filter(({ path }) => !unresolved.has(scalarAt(source, path) ?? source));
    const found = toConfigErrors(issues, content.data, source);
    return { errors: inOrder([...errors, ...found]) };
  }
  if (errors.length > 0) return { errors };
  return { config: { ...result.settings, source: { fileName, sections: listSections(content.data) } } };
}

async function readConfigFile(path: string): Promise<string> {
  const bytes = await readBoundedFile(path, largestConfigBytes, (reason, cause) => {
    return new WardenError('config-not-found', `the configuration file ${path} ${reason}`, { cause });
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const message = formatConfigError(path, { line: 1, column: 1, message: 'the file is not UTF-8 text' });
    throw new WardenError('config-invalid', message, { details: { errors: [message] }, cause });
  }
}

/** Text from the environment is read as a number or boolean where, and only where, the schema wants one. */
function check(data: unknown, source: YamlSource, substituted: ReadonlySet<object>) {
  const first = configSchema.safeParse(data);
  if (first.success) return { settings: first.data };
  const issues = flattenIssues(first.error.issues);
  const conversions = issues.filter((issue) => convertSubstituted(issue, data, source, substituted));
  if (conversions.length === 0) return { issues };
  const second = configSchema.safeParse(data);
  return second.success ? { settings: second.data } : { issues: flattenIssues(second.error.issues) };
}

/** Replaces the value that an issue is about, in place; true if it did. */
function convertSubstituted(
  issue: Issue,
  data: unknown,
  source: YamlSource,
  substituted: ReadonlySet<object>,
): boolean {
  if (issue.code !== 'invalid_type') return false;
  const wanted =
    issue.expected === 'boolean'
      ? 'boolean'
      : issue.expected === 'number' || issue.expected === 'int'
        ? 'number'
        : undefined;
  const scalar = scalarAt(source, issue.path);
  const text = valueAt(data, issue.path);
  if (wanted === undefined || typeof text !== 'string' || scalar === undefined || !substituted.has(scalar))
    return false;
  const value = readPlainScalar(text, wanted);
  return value !== undefined && replaceAt(data, issue.path, value);
}

function replaceAt(data: unknown, path: OptionPath, value: number | boolean): boolean {
  const parent = valueAt(data, path.slice(0, -1));
  const key = path.at(-1);
  return typeof parent === 'object' && parent !== null && key !== undefined && Reflect.set(parent, key, value);
}

/** `schedules`, `repositories[0].retention`, …: what the file says anything about. */
function listSections(data: unknown): readonly string[] {
  const given = (value: unknown) =>
    Object.entries(typeof value === 'object' && value !== null ? value : {}).flatMap(([key, item]) =>
      item === undefined ? [] : [key],
    );
  const inSections = ['cluster', 'schedules'].flatMap((section) =>
    given(valueAt(data, [section])).map((key) => `${section}.${key}`),
  );
  return [...given(data), ...inSections];
}

function inOrder(errors: readonly ConfigError[]): readonly ConfigError[] {
  return errors.toSorted((one, other) => one.line - other.line || one.column - other.column);
}
