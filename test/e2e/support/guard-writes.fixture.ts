/**
 * Imported into a process before anything else: refuses every write outside the folders that WRITABLE names, as a
 * read-only file system would. Node's own permission model would do, but it turns fsync off.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { delimiter, resolve, sep } from 'node:path';

type Call = (...args: unknown[]) => unknown;

const writable = (process.env['WRITABLE'] ?? '').split(delimiter);
const { O_WRONLY, O_RDWR, O_CREAT } = fs.constants;

/** Every call that makes or changes a file, with the position of the path that it writes to. */
const writers: Readonly<Record<string, number>> = {
  appendFile: 0,
  copyFile: 1,
  cp: 1,
  link: 1,
  mkdir: 0,
  mkdtemp: 0,
  rename: 1,
  symlink: 1,
  truncate: 0,
  writeFile: 0,
};

for (const [name, position] of Object.entries(writers)) guard(name, (args) => args[position]);
guard('open', ([path, flags = 'r']) => (opensForWriting(flags) ? path : undefined));
syncBuiltinESMExports();

function guard(name: string, written: (args: readonly unknown[]) => unknown): void {
  const apis = [fs, fs.promises] as unknown as Record<string, Call>[];
  for (const api of apis) {
    for (const variant of [name, `${name}Sync`]) {
      const original = api[variant];
      if (original === undefined) continue;
      api[variant] = (...args) => {
        const path = written(args);
        if (typeof path === 'string') refuseOutside(path, variant);
        return original(...args);
      };
    }
  }
}

function opensForWriting(flags: unknown): boolean {
  if (typeof flags === 'string') return flags !== 'r';
  return typeof flags === 'number' && (flags & (O_WRONLY | O_RDWR | O_CREAT)) !== 0;
}

function refuseOutside(path: string, call: string): void {
  const full = resolve(path);
  if (writable.some((folder) => full === folder || full.startsWith(folder + sep))) return;
  throw Object.assign(new Error(`${call} of ${full}, which is not a folder to write to`), { code: 'EROFS' });
}
