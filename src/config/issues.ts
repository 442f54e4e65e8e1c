import type * as z from 'zod';
import { formatPath, mostErrors, quote, type ConfigError, type OptionPath } from './config-error.ts';
import { listWords } from './fields.ts';
import { explainUnknownKey } from './nearest-key.ts';
import { isComplaint } from './option.ts';
import { redactCredentials } from './url-field.ts';
import { locate } from './locate.ts';
import type { YamlSource } from './yaml-source.ts';

export type Issue = z.core.$ZodIssue;

/**
 * Issues one by one with their whole paths. Of a union, those of the branch that was meant: the one whose own kind of
 * value was given.
 */
export function flattenIssues(issues: readonly Issue[], parent: OptionPath = []): readonly Issue[] {
  return issues.flatMap((issue) => {
    const path = [...parent, ...issue.path];
    if (issue.code === 'invalid_union') {
      const meant = issue.errors.find((branch) => !branch.some(isOfAnotherKind));
      if (meant !== undefined) return flattenIssues(meant, path);
    }
    return [{ ...issue, path }];
  });
}

/** Issues in words, in the order of the file. */
export function toConfigErrors(issues: readonly Issue[], data: unknown, source: YamlSource): readonly ConfigError[] {
  return issues
    .flatMap((issue) => describeIssue(issue, data, source))
    .sort((one, other) => one.line - other.line || one.column - other.column);
}

/** What the data holds at `path`; undefined if nothing. */
export function valueAt(data: unknown, path: OptionPath): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined,
    data,
  );
}

function isOfAnotherKind({ code, path }: Issue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
}

function describeIssue(issue: Issue, data: unknown, source: YamlSource): readonly ConfigError[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, mostErrors).map((key) => ({
      ...locate(source, [...path, key], 'key'),
      message: `${formatPath([...path, key])} is not a known key; ${explainUnknownKey(path, key, (at) => valueAt(data, [...at, 'type']))}`,
    }));
  }
  const value = valueAt(data, path);
  if (issue.code === 'invalid_key') {
    const message = `${formatPath(path.slice(0, -1))}: a key ${issue.issues[0]?.message ?? issue.message}, got ${describeValue(path, path.at(-1))}`;
    return [{ ...locate(source, path, 'key'), message }];
  }
  const complaint = describeComplaint(issue);
  const name = formatPath(path);
  if (isComplaint(issue)) return [{ ...locate(source, path, 'value'), message: `${name} ${complaint}` }];
  if (value === undefined) {
    return [{ ...locate(source, path, 'key'), message: `${name} is missing; it ${complaint}` }];
  }
  return [{ ...locate(source, path, 'value'), message: `${name} ${complaint}, got ${describeValue(path, value)}` }];
}

function describeComplaint(issue: Issue): string {
  const isTypeOfSection = issue.code === 'invalid_union' && issue.path.at(-1) === 'type' && 'options' in issue;
  return isTypeOfSection && Array.isArray(issue.options)
    ? `must be ${listWords(issue.options.map(String))}`
    : issue.message;
}

/** A value in a few characters. What could be a secret, or a key pasted where its file should be named, is not shown. */
function describeValue(path: OptionPath, value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'a section';
  if (typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null || value === undefined) return 'nothing';
  if (/password|secret|token|credential|File|\bfile\b/.test(formatPath(path))) return 'text that is not shown here';
  return typeof value === 'string' ? quote(redactCredentials(value)) : `a ${typeof value}`;
}
