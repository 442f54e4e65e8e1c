import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderExample } from '../../src/config/example.ts';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { describeOptions, flattenOption } from '../../src/config/options.ts';
import { renderReference } from '../../src/config/reference.ts';
import { generatedFiles } from '../../tools/generate.ts';
import { configOf, errorsOf, minimalConfig } from './minimal-config.ts';

const root = join(import.meta.dirname, '../..');
const everyOption = describeOptions().flatMap(flattenOption);

describe('generated files', () => {
  it.each(Object.entries(generatedFiles))('%s is what `npm run generate:docs` writes', async (path, render) => {
    const committed = await readFile(join(root, path), 'utf8');
    expect(committed).toBe(render(committed));
  });
});

describe('the example', () => {
  it('is a valid configuration', () => {
    expect(errorsOf(renderExample())).toEqual([]);
  });

  it('shows every option', () => {
    const missing = everyOption.filter(({ key }) => !new RegExp(`^[ #-]*${key}:`, 'm').test(renderExample()));
    // Windows are a list that is empty unless one is given; its comment shows one.
    expect(missing.map(({ path }) => path)).toEqual([
      'schedules.defrag.windows[].days',
      'schedules.defrag.windows[].from',
      'schedules.defrag.windows[].to',
    ]);
  });

  it('stays valid if each option in a comment is taken out of it', () => {
    const lines = renderExample().split('\n');
    const commented = lines.flatMap((line, index) =>
      /^\s*#[^ #]/.test(line) && !/^\s*#auth:/.test(line) ? [index] : [],
    );
    expect(commented.length).toBeGreaterThan(8);
    for (const index of commented) {
      const text = lines.map((line, at) => (at === index ? line.replace('#', '') : line)).join('\n');
      // The key has an effect with serverSideEncryption only, which stays in its comment here.
      const expected = lines[index]?.includes('serverSideEncryptionKey') ? 1 : 0;
      expect([lines[index], errorsOf(text).length]).toEqual([lines[index], expected]);
    }
  });

  it('stays valid if a whole section in a comment is taken out of it', () => {
    const text = renderExample().replace(/^ {2}#auth:\n(?: {2}#.*\n)+?(?= {2}# The)/m, (block) =>
      block.replaceAll(/^ {2}#/gm, '  '),
    );
    expect(configOf(text).cluster.auth).toEqual({
      username: 'etcd-warden',
      passwordFile: '/etc/etcd-warden/etcd/password',
    });
  });
});

describe('the reference', () => {
  it('has a row for every option', () => {
    expect(everyOption.filter(({ path }) => !renderReference().includes(`\`${path}\``) && path.includes('.'))).toEqual(
      [],
    );
  });
});

describe('every option', () => {
  it('says why it is there and what it expects', () => {
    const silent = everyOption.filter(
      ({ key, reason, expects, variants }) =>
        key !== 'type' && (reason === '' || (expects === '' && variants.length === 0)),
    );
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('has a default, or an example that the example shows', () => {
    const bare = everyOption.filter(({ defaultValue, example }) => defaultValue === undefined && example === undefined);
    expect(bare.map(({ path }) => path)).toEqual([]);
  });
});

describe('the JSON schema', () => {
  let validate: ValidateFunction;

  beforeAll(() => {
    validate = new Ajv({ allErrors: true, strictTypes: false, strictTuples: false }).compile(configJsonSchema());
  });

  it('accepts the example and the least configuration', () => {
    for (const text of [renderExample(), minimalConfig]) {
      validate(parse(text));
      expect(validate.errors).toBeNull();
    }
  });

  it.each([
    ['an unknown key', `${minimalConfig}nonsense: 1\n`],
    ['an unknown key far inside', `${minimalConfig}schedules: {backup: {corn: x}}\n`],
    ['a duration without a unit', `${minimalConfig}snapshot: {idleTimeout: 30}\n`],
    ['a missing section', minimalConfig.replace('encryption: none\n', '')],
    ['a store of an unknown type', minimalConfig.replace('type: directory', 'type: gcs')],
  ])('refuses %s', (_, text) => {
    expect(validate(parse(text))).toBe(false);
  });

  it('is draft-07, whose formats and keywords Helm knows', () => {
    expect(configJsonSchema().$schema).toBe('http://json-schema.org/draft-07/schema#');
  });
});
