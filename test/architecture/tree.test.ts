import { readdir, readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { basename, dirname, join, matchesGlob, relative, resolve, sep } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

interface SourceFile {
  /** From the root of the project, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
}

describe('the source tree', () => {
  let src: SourceFile[];
  let test: SourceFile[];

  beforeAll(async () => {
    [src, test] = await Promise.all([readTree('src'), readTree('test')]);
  });

  it('has a layer rule for every file', async () => {
    const globs = await layerGlobs();
    expect(src.filter(({ path }) => !globs.some((glob) => matchesGlob(path, glob))).map(({ path }) => path)).toEqual(
      [],
    );
  });

  it('has no file above 300 lines', () => {
    expect([...src, ...test].filter(({ lines }) => lines > 300).map(({ path, lines }) => `${path}: ${lines}`)).toEqual(
      [],
    );
  });

  it('has a median below 90 lines', () => {
    const sizes = src.map(({ lines }) => lines).sort((a, b) => a - b);
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(90);
  });

  it('names nothing by its kind', () => {
    const kinds = /(^|[/-])(utils?|helpers?|managers?|common|misc|constants|types|interfaces|index)(\.ts|\/|$)/;
    expect([...src, ...test].map(({ path }) => path).filter((path) => kinds.test(path))).toEqual([]);
  });

  it('lets no job import another one, in whatever folder it lies', () => {
    const jobs = src.filter(({ path }) => path.startsWith('src/jobs/'));
    const crossing = jobs.flatMap(({ path, text }) =>
      relativeImports(path, text)
        .filter((target) => target.startsWith('src/jobs/') && jobOf(target) !== jobOf(path))
        .map((target) => `${path} imports ${target}`),
    );
    expect(crossing).toEqual([]);
  });

  it('asks no clock in a pure folder, not even by `new Date()`', () => {
    const pure = src.filter(({ path }) => /^src\/(inspect|retention|defrag|schedule|manifest)\//.test(path));
    expect(pure.filter(({ text }) => /new Date(\(\s*\)|[^(\w])/.test(codeOf(text))).map(({ path }) => path)).toEqual(
      [],
    );
  });

  it('leaves nothing of a port at run time', () => {
    const ports = src.filter(({ path }) => path.startsWith('src/ports/'));
    expect(
      ports.filter(({ text }) => /\w/.test(codeOf(text))).map(({ path, text }) => `${path}: ${codeOf(text).trim()}`),
    ).toEqual([]);
  });

  it('silences no tool', () => {
    const silencers = /(oxlint|eslint|oxfmt|prettier)-(disable|ignore)|@ts-(ignore|expect-error|nocheck)/;
    const here = relative(root, import.meta.filename);
    expect(
      [...src, ...test].filter(({ path, text }) => path !== here && silencers.test(text)).map(({ path }) => path),
    ).toEqual([]);
  });

  it('gives every test a suffix that says what it needs', () => {
    const known = /^[^.]+(\.(etcd|s3|kms|fault|e2e|kubernetes))?\.test\.ts$/;
    const tests = test.map(({ path }) => path).filter((path) => path.includes('.test.'));
    expect(tests.filter((path) => !known.test(basename(path)))).toEqual([]);
  });
});

/** Generated code is nobody's to shape. */
async function readTree(folder: string): Promise<SourceFile[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.includes('/generated/'));
  return Promise.all(
    paths.map(async (path) => {
      const text = await readFile(join(root, path), 'utf8');
      return { path, text, lines: text.split('\n').length - 1 };
    }),
  );
}

/** The files that overrides with import rules in .oxlintrc.json speak of. */
async function layerGlobs(): Promise<string[]> {
  const text = (await readFile(join(root, '.oxlintrc.json'), 'utf8')).replace(/^\s*\/\/.*$/gm, '');
  const { overrides } = JSON.parse(text) as { overrides: { files: string[]; rules: Record<string, unknown> }[] };
  return overrides.filter(({ rules }) => 'no-restricted-imports' in rules).flatMap(({ files }) => files);
}

/** Paths from the root of what a file imports from within the project. */
function relativeImports(path: string, text: string): string[] {
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => match[1] ?? '');
  return specifiers.map((specifier) => join(dirname(path), specifier).split(sep).join('/'));
}

/** A job is a file in src/jobs, or a folder there with all its files. */
function jobOf(path: string): string {
  return (path.split('/')[2] ?? '').replace(/\.ts$/, '');
}

/** What is left to run: no types, no comments, no `export {}`. */
function codeOf(text: string): string {
  return stripTypeScriptTypes(text)
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    .replace(/export \{\s*\};?/g, '');
}
