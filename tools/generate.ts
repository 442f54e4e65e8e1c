import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { renderExample } from '../src/config/example.ts';
import { renderReference } from '../src/config/reference.ts';
import { renderErrorReference } from './generate-errors.ts';

/** Files that are written from the source; a test proves that the committed ones are what these functions give. */
export const generatedFiles: Readonly<Record<string, () => string>> = {
  'config.example.yaml': renderExample,
  'docs/configuration.md': renderReference,
  'docs/errors.md': renderErrorReference,
};

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  for (const [path, render] of Object.entries(generatedFiles)) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, render());
    console.log(path);
  }
}
