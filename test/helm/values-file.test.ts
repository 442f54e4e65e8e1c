import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderExample } from '../../src/config/example.ts';
import { renderValuesSchema } from '../../tools/chart/values-schema.ts';
import { readChartValues } from '../../tools/chart/values-file.ts';

const chart = resolve(import.meta.dirname, '../../helm/etcd-warden');
const valuesText = readFileSync(join(chart, 'values.yaml'), 'utf8');
const readme = readFileSync(join(chart, 'README.md'), 'utf8');

describe('values.yaml', () => {
  it('says of every value what it is, and so does the table of the README', () => {
    const table = readme.slice(readme.indexOf('### Values'));
    const rows = new Map(
      [...table.matchAll(/^\| `([^`]+)` \|.*\| (.*) \|$/gm)].map(([, path = '', said = '']) => [path, said]),
    );
    const values = readChartValues(valuesText).map(({ path }) => path.join('.'));
    expect(values.length).toBeGreaterThan(100);
    const sections = new Set(values.filter((path) => values.some((other) => other.startsWith(`${path}.`))));
    const silent = values.filter((path) => !sections.has(path) && (rows.get(path) ?? '') === '');
    expect(silent).toEqual([]);
  });

  it('has a comment that ends in no blank and no line that is too long', () => {
    expect(valuesText.split('\n').filter((line) => /\s$/.test(line))).toEqual([]);
    expect(valuesText.split('\n').filter((line) => line.length > 130 && !line.includes('@schema'))).toEqual([]);
  });
});

describe('values.schema.json', () => {
  let validate: ValidateFunction;

  beforeAll(() => {
    validate = new Ajv({ allErrors: true, strictTypes: false, strictTuples: false }).compile(
      JSON.parse(renderValuesSchema(valuesText)) as object,
    );
  });

  it('takes the values as they are', () => {
    validate(parse(valuesText, { version: '1.1' }));
    expect(validate.errors).toBeNull();
  });

  it.each(readdirSync(join(chart, 'ci')))('takes the example %s', (file) => {
    validate(parse(readFileSync(join(chart, 'ci', file), 'utf8'), { version: '1.1' }));
    expect(validate.errors).toBeNull();
  });

  it('takes every option of the agent, for all clusters and for one', () => {
    const config: unknown = parse(renderExample());
    validate({ config, clusters: [{ name: 'a', config }] });
    expect(validate.errors).toBeNull();
  });

  it('takes any part of the configuration, for the rest may come from elsewhere', () => {
    for (const [key, section] of Object.entries(parse(renderExample()) as object)) {
      validate({ config: { [key]: section as unknown } });
      expect([key, validate.errors]).toEqual([key, null]);
    }
    validate({ config: { cluster: { auth: { username: 'root' } } } });
    expect(validate.errors).toBeNull();
  });

  it('takes what comes from the environment', () => {
    const store = { type: 's3', bucket: '${BUCKET}', region: '${REGION:-eu-central-1}', partSize: '${PART}' };
    validate({ config: { cluster: { name: '${NAME}' }, repositories: [{ name: 'a', store }] } });
    expect(validate.errors).toBeNull();
  });

  it.each([
    ['an item of a list without what it needs', { config: { repositories: [{ name: 'a' }] } }],
    [
      'an item of a store that has no name',
      { config: { repositories: [{ store: { type: 'directory', path: '/a' } }] } },
    ],
    [
      'a bucket in a directory',
      { config: { repositories: [{ name: 'a', store: { type: 'directory', path: '/a', bucket: 'b' } }] } },
    ],
    ['a level of compression that is none', { config: { snapshot: { compression: { level: 20 } } } }],
    ['a word for metrics that is true', { config: { cluster: { metrics: true } } }],
    ['a job of a volume that is none', { volumes: [{ name: 'a', mountPath: '/a', emptyDir: {}, jobs: ['restore'] }] }],
    ['the name of a cluster in a cluster', { clusters: [{ name: 'a', clusters: [] }] }],
    ['a cluster without a name', { clusters: [{}] }],
  ])('refuses %s', (_, values) => {
    expect(validate(values)).toBe(false);
  });
});
