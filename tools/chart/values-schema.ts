import { chartConfigSchema } from './config-schema.ts';
import { type ChartValue, readChartValues } from './values-file.ts';
import { writeJson } from './write-json.ts';

type Schema = Record<string, unknown>;

/** helm/etcd-warden/values.schema.json, from values.yaml: Helm checks every values file with it. */
export function renderValuesSchema(values: string): string {
  const properties: Schema = {};
  for (const value of readChartValues(values)) {
    const parent = value.path
      .slice(0, -1)
      .reduce<Schema>((schema, key) => childrenOf(schema)[key] as Schema, { properties });
    childrenOf(parent)[value.path.at(-1) ?? ''] = schemaOf(value);
  }
  const schema = nameKeys({
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart etcd-warden',
    type: 'object',
    // Helm gives it to every chart that is part of another one.
    properties: { ...properties, global: { type: 'object' } },
    additionalProperties: false,
    definitions: { config: chartConfigSchema(), ...definitions },
  });
  return writeJson(schema);
}

/**
 * In sections that know their keys. Helm says what the value of a wrong key must be, after its path: this makes a sentence of it
 * that names the right ones.
 */
function nameKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(nameKeys);
  if (typeof value !== 'object' || value === null) return value;
  const parts = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, nameKeys(part)]));
  if (parts['additionalProperties'] !== false || parts['properties'] === undefined) return parts;
  const keys = Object.keys(parts['properties'] as object).join(', ');
  return { ...parts, additionalProperties: { const: `absent, for there is no such key here; there are ${keys}` } };
}

function childrenOf(schema: Schema): Schema {
  return (schema['properties'] ??= {}) as Schema;
}

function schemaOf({ default: value, description, schema }: ChartValue): Schema {
  // Nothing beside a reference counts.
  if (schema['$ref'] !== undefined) return schema;
  const described = description === '' ? {} : { description };
  return { ...described, ...typeOf(value, schema), ...schema };
}

function typeOf(value: unknown, schema: Schema): Schema {
  if (schema['enum'] !== undefined || value === null) return {};
  if (Array.isArray(value)) return { type: 'array' };
  if (typeof value === 'object') {
    // Open where people add keys of their own.
    return Object.keys(value).length === 0 || schema['additionalProperties'] !== undefined
      ? { type: 'object' }
      : { type: 'object', additionalProperties: false };
  }
  return { type: typeof value };
}

const workloadParts = ['pod', 'cronJob', 'aws'];
const clusterParts = [
  'platform',
  'config',
  'etcd',
  'jobs',
  'exporter',
  'daemon',
  'networkPolicy',
  'volumes',
  'extraJobs',
];
const pod = { type: 'string', enum: ['backup', 'verify', 'prune', 'defrag', 'exporter', 'daemon'] };

/** What several keys share, or what a list holds. Names are short, for together they must fit into that of a CronJob. */
const definitions = {
  schedule: {
    type: 'string',
    // What is wrong with one the chart says in a sentence: a pattern would be all that Helm shows.
    description: 'A cron expression of five fields.',
  },
  args: { type: 'array', minItems: 1, items: { type: 'string' } },
  activeDeadlineSeconds: { type: 'integer', minimum: 1 },
  port: { type: 'integer', minimum: 1, maximum: 65_535 },
  promDuration: {
    type: 'string',
    pattern: '(?<must_be_a_duration_of_Prometheus_such_as_30s>^([0-9]+(ms|[smhdwy]))+$)',
  },
  serviceAccount: section({
    create: { type: 'boolean', description: 'Whether the chart makes it.' },
    name: { type: 'string', maxLength: 253, description: 'Empty: that of the workload; without create, default.' },
    annotations: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Such as eks.amazonaws.com/role-arn.',
    },
  }),
  volume: {
    type: 'object',
    required: ['name', 'mountPath'],
    properties: {
      name: { type: 'string', pattern: shortName(63) },
      mountPath: { type: 'string', pattern: '(?<must_be_an_absolute_path>^/)' },
      subPath: { type: 'string' },
      readOnly: { type: 'boolean' },
      jobs: { type: 'array', minItems: 1, items: pod },
    },
  },
  extraJob: section(
    {
      name: { type: 'string', pattern: shortName(15) },
      as: { type: 'string', enum: ['backup', 'verify', 'prune', 'defrag'] },
      schedule: { $ref: '#/definitions/schedule' },
      args: { $ref: '#/definitions/args' },
      activeDeadlineSeconds: { $ref: '#/definitions/activeDeadlineSeconds' },
      ...referTo(workloadParts),
    },
    ['name', 'as', 'schedule', 'args', 'activeDeadlineSeconds'],
  ),
  cluster: section(
    {
      name: { type: 'string', pattern: shortName(20) },
      ...referTo([...clusterParts, ...workloadParts]),
    },
    ['name'],
  ),
};

function shortName(length: number): string {
  return `(?<must_be_at_most_${length}_lower_case_letters_digits_or_hyphens>^[a-z0-9]([a-z0-9-]{0,${length - 2}}[a-z0-9])?$)`;
}

function section(properties: Schema, required: readonly string[] = []): Schema {
  return { type: 'object', properties, additionalProperties: false, ...(required.length > 0 && { required }) };
}

function referTo(keys: readonly string[]): Schema {
  return Object.fromEntries(keys.map((key) => [key, { $ref: `#/properties/${key}` }]));
}
