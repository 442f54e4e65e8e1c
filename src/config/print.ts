import { stringify } from 'yaml';
import type { Config } from './schema.ts';
import { formatListenAddress, type ListenAddress } from './schema/outlets.ts';
import type { Subset } from './schema/schedules.ts';
import { formatDuration, formatPercentage, formatQuotaShare, formatSize } from './units.ts';
import { redactCredentials } from './url-field.ts';

/**
 * The effective configuration as YAML: every default filled in, the environment put in. It loads again and means the
 * same, except that credentials and queries in URLs are redacted; other secrets are in files, of which only the path is known.
 */
export function printConfig(config: Config): string {
  const { source: _, ...settings } = config;
  return stringify(toWritten(settings), { lineWidth: 0, aliasDuplicateObjects: false });
}

/** A parsed value as an operator would have written it. */
function toWritten(value: unknown): unknown {
  if (typeof value === 'string') return writeText(value);
  if (Array.isArray(value)) return value.map(toWritten);
  if (typeof value !== 'object' || value === null) return value;
  return writeUnit(value) ?? writeSection(value);
}

/** In a path `@` and `?` mean nothing. What looks like a reference to the environment did not come from one: it is escaped. */
function writeText(text: string): string {
  return (URL.canParse(text) ? redactCredentials(text) : text).replaceAll('${', () => '$${');
}

/** Undefined for a section: only values with a unit have exactly these properties. */
function writeUnit(value: object): string | undefined {
  if (has(value, 'ms')) return formatDuration(value);
  if (has(value, 'bytes')) return formatSize(value);
  if (has(value, 'fraction')) return formatPercentage(value);
  if (has(value, 'fractionOfQuota')) return formatQuotaShare(value);
  if (isListenAddress(value)) return formatListenAddress(value);
  return isSubset(value) ? `${value.part}/${value.of}` : undefined;
}

function writeSection(section: object): object {
  const entries = Object.entries(section).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]: [string, unknown]) => [key, toWritten(value)]));
}

function has<K extends string>(value: object, key: K): value is Record<K, number> {
  return Object.keys(value).length === 1 && typeof Reflect.get(value, key) === 'number';
}

function isListenAddress(value: object): value is ListenAddress {
  return 'host' in value && 'port' in value;
}

function isSubset(value: object): value is Subset {
  return 'part' in value && 'of' in value;
}
