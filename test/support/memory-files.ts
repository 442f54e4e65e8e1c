import { resolve } from 'node:path';
import { WardenError } from '../../src/errors/warden-error.ts';
import type { LocalBytes, LocalFiles, NewFile } from '../../src/ports/local-files.ts';

/** Local files in memory, by absolute path. */
export interface MemoryFiles extends LocalFiles {
  /** Memory answers at once: there is nothing to interrupt. */
  create(path: string): Promise<NewFile>;
  read(path: string): LocalBytes;
  readonly contents: Map<string, Buffer>;
  /** Files that were begun and neither committed nor dropped. */
  readonly pending: Set<string>;
  /** Files that are being read. */
  readonly reading: Set<string>;
}

export function createMemoryFiles(initial: Readonly<Record<string, Buffer>> = {}): MemoryFiles {
  const contents = new Map(Object.entries(initial).map(([path, bytes]) => [resolve(path), bytes]));
  const pending = new Set<string>();
  const reading = new Set<string>();
  const refuseIfThere = (path: string): void => {
    if (contents.has(path)) throw new WardenError('target-exists', `${path} exists already`);
  };
  return {
    contents,
    pending,
    reading,
    create: async (target) => {
      const path = resolve(target);
      refuseIfThere(path);
      pending.add(path);
      const blocks: Uint8Array[] = [];
      return {
        path,
        write: async (block) => void blocks.push(Uint8Array.from(block)),
        commit: async () => {
          refuseIfThere(path);
          contents.set(path, Buffer.concat(blocks));
          pending.delete(path);
        },
        [Symbol.asyncDispose]: async () => void pending.delete(path),
      };
    },
    read: (source) => {
      const path = resolve(source);
      async function* blocks(): AsyncGenerator<Uint8Array, void> {
        const bytes = contents.get(path);
        if (bytes === undefined) throw new WardenError('file-failed', `cannot read ${path}: no such file or folder`);
        reading.add(path);
        try {
          for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
        } finally {
          reading.delete(path);
        }
      }
      return { path, [Symbol.asyncIterator]: blocks };
    },
  };
}
