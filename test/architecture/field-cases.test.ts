import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** The classes of docs/field-cases.md, by its headings. */
const classes = {
  A: ['F001', 'F003', 'F004', 'F006', 'F007', 'F009', 'F010', 'F012', 'F013'],
  B: ['F014', 'F015', 'F017', 'F019', 'F020', 'F022', 'F023'],
  C: ['F025', 'F026', 'F028', 'F030', 'F031', 'F033'],
  E: ['F049', 'F050', 'F052', 'F053', 'F055', 'F056', 'F058', 'F060', 'F061', 'F063'],
  F: ['F064', 'F065', 'F067', 'F068', 'F070', 'F072', 'F073'],
  G: ['F074', 'F075', 'F077', 'F078', 'F080', 'F082'],
  H: ['F083', 'F084', 'F086', 'F087', 'F089', 'F091', 'F092', 'F094', 'F096'],
  I: ['F098', 'F100', 'F102', 'F104'],
  M: ['F140', 'F142', 'F144'],
  N: ['F146', 'F147', 'F149', 'F151', 'F153'],
  O: ['F154', 'F156', 'F158', 'F160', 'F162', 'F163'],
  P: ['F164', 'F166', 'F168', 'F170', 'F172'],
  defragmentation: [9, 10, 11, 12, 13, 14, 15, 16, 24, 25, 28, 31, 37].map(
    (number) => `BC-${String(number).padStart(2, '0')}`,
  ),
};
const cases = Object.values(classes).flat();

describe('the field cases', () => {
  /** The test files that name a case, by case. */
  let named: Map<string, string[]>;
  /** The test files that docs/field-cases.md lists for a case, by case. */
  let documented: Map<string, string[]>;

  beforeAll(async () => {
    const entries = await readdir(join(root, 'test'), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'));
    const texts = await Promise.all(
      files.map(async ({ parentPath, name }) => ({
        path: relative(root, join(parentPath, name)),
        text: await readFile(join(parentPath, name), 'utf8'),
      })),
    );
    named = collect(texts.flatMap(({ path, text }) => casesIn(text).map((id) => [id, path] as const)));
    documented = collect(rowsOf(await readFile(join(root, 'docs/field-cases.md'), 'utf8')));
  });

  it.each(cases)('%s is named by a test', (id) => {
    expect(named.get(id)).toBeDefined();
  });

  it('are documented, each with its tests', () => {
    expect([...documented.keys()]).toEqual(cases);
  });

  it('are named by every test that the page lists for them', () => {
    const pairs = [...documented].flatMap(([id, paths]) => paths.map((path) => ({ id, path })));
    expect(pairs.filter(({ id, path }) => !named.get(id)?.includes(path))).toEqual([]);
  });
});

const casesIn = (text: string): string[] =>
  [...text.matchAll(/^\s*\/\/ (?:field: (?=F))?(F\d{3}|BC-\d{2})$/gm)].map(([, id = '']) => id);

function rowsOf(page: string): (readonly [string, string])[] {
  return [...page.matchAll(/^\| (F\d{3}|BC-\d{2}) \|.*$/gm)].flatMap(([row, id = '']) =>
    [...row.matchAll(/`(test\/[^`]+)`/g)].map(([, path = '']) => [id, path] as const),
  );
}

function collect(pairs: readonly (readonly [string, string])[]): Map<string, string[]> {
  const collected = new Map<string, string[]>();
  for (const [id, path] of pairs) collected.set(id, [...(collected.get(id) ?? []), path]);
  return collected;
}
