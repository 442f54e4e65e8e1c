import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

describe('docs/dependencies.md', () => {
  let page: string;
  let manifest: { dependencies: Record<string, string>; devDependencies: Record<string, string> };

  beforeAll(async () => {
    page = await readFile(join(root, 'docs/dependencies.md'), 'utf8');
    manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as typeof manifest;
  });

  it('gives a reason for every package that is shipped, and for no other', () => {
    expect(packagesUnder('## Shipped')).toEqual(Object.keys(manifest.dependencies).sort());
  });

  it('gives a reason for every package of development, and for no other', () => {
    expect(packagesUnder('## For development')).toEqual(Object.keys(manifest.devDependencies).sort());
  });

  it('describes exact versions: package.json has no ranges', () => {
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.filter(([, version]) => !/^(\d+\.\d+\.\d+|file:.+)$/.test(version))).toEqual([]);
  });

  function packagesUnder(heading: string): string[] {
    const section = page.split(`${heading}\n`)[1]?.split('\n## ')[0] ?? '';
    return [...section.matchAll(/^\| `([^`]+)` \| \S.*\|$/gm)].map((row) => row[1] ?? '').sort();
  }
});
