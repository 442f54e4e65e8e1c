import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';

export const alertFile = resolve(import.meta.dirname, '../../../monitoring/alerts.yaml');

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

/** The rules of monitoring/alerts.yaml, in their order. */
export function readRules(): { readonly alerts: readonly AlertRule[]; readonly recordings: readonly RecordingRule[] } {
  const { groups } = parse(readFileSync(alertFile, 'utf8')) as { groups: { rules: (AlertRule | RecordingRule)[] }[] };
  const rules = groups.flatMap((group) => group.rules);
  return {
    alerts: rules.filter((rule) => 'alert' in rule),
    recordings: rules.filter((rule) => 'record' in rule),
  };
}
