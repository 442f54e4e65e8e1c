import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { OptionPath } from './config-error.ts';
import type { YamlSource } from './yaml-source.ts';

/**
 * Where an option stands: its value, or its key where asked for or where it has no value. What is not in the file stands
 * where its nearest parent does.
 */
export function locate(
  { document, lines }: YamlSource,
  path: OptionPath,
  what: 'key' | 'value',
): { line: number; column: number } {
  let node: unknown = document.contents;
  let offset = 0;
  for (const [index, key] of path.entries()) {
    const isLast = index === path.length - 1;
    const parent = isAlias(node) ? node.resolve(document) : node;
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (pair === undefined) break;
      const wantsValue = isLast && what === 'value' && !isEmpty(pair.value);
      offset = startOf(wantsValue ? pair.value : pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(parent) && typeof key === 'number' && key < parent.items.length) {
      node = parent.items[key];
      offset = startOf(node) ?? offset;
    } else {
      break;
    }
  }
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

/** The scalar at `path`, aliases followed; undefined if something else or nothing stands there. */
export function scalarAt({ document }: YamlSource, path: OptionPath): object | undefined {
  let node: unknown = document.contents;
  for (const key of path) {
    const parent = isAlias(node) ? node.resolve(document) : node;
    node = isMap(parent) || isSeq(parent) ? parent.get(key, true) : undefined;
  }
  const target = isAlias(node) ? node.resolve(document) : node;
  return isScalar(target) ? target : undefined;
}

function isEmpty(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

function startOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined;
  const { range } = node;
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : undefined;
}
