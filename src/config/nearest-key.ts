import { describeOptions, flattenOption, type Option } from './options.ts';
import { formatPath, quote, type OptionPath } from './config-error.ts';

/**
 * What an operator who wrote an unknown key probably meant, as a clause. `typeOf` tells the `type` that the section at a
 * path of the file gives itself, for sections that come in variants.
 */
export function explainUnknownKey(parent: OptionPath, key: string, typeOf: (path: OptionPath) => unknown): string {
  const options = describeOptions();
  const siblings = findSiblings(options, parent, typeOf);
  const nearest = findNearest(
    siblings.map((option) => option.key),
    key,
  );
  if (nearest !== undefined) return `did you mean ${formatPath([...parent, nearest])}?`;
  const everywhere = options.flatMap(flattenOption);
  const namesake = everywhere.find((option) => option.key === key);
  if (namesake !== undefined) return `it belongs to ${namesake.path}${variantOf(options, namesake)}`;
  const longer = everywhere.find((option) => key.length >= 4 && option.key.startsWith(key));
  if (longer !== undefined) return `did you mean ${longer.path}${variantOf(options, longer)}?`;
  return `known here: ${siblings.map((option) => option.key).join(', ')}`;
}

function findSiblings(
  options: readonly Option[],
  parent: OptionPath,
  typeOf: (path: OptionPath) => unknown,
): readonly Option[] {
  let siblings = options;
  for (const [index, key] of parent.entries()) {
    if (typeof key === 'number') continue;
    const option = siblings.find((candidate) => candidate.key === key);
    if (option === undefined) return [];
    const isItem = typeof parent[index + 1] === 'number';
    const type = typeOf(parent.slice(0, index + (isItem ? 2 : 1)));
    const variant = option.variants.find((candidate) => candidate.type === type) ?? option.variants[0];
    siblings = variant?.options ?? [];
  }
  return siblings;
}

function variantOf(options: readonly Option[], wanted: Option): string {
  const owner = options
    .flatMap(flattenOption)
    .flatMap((option) => option.variants)
    .find((variant) => variant.options.includes(wanted));
  return owner?.type === undefined ? '' : ` with type: ${quote(owner.type).slice(1, -1)}`;
}

/** Undefined if no known key resembles what was written. */
function findNearest(known: readonly string[], written: string): string | undefined {
  const scored = known.map((key) => ({ key, distance: measureDistance(key.toLowerCase(), written.toLowerCase()) }));
  const [best] = scored.sort((one, other) => one.distance - other.distance);
  if (best !== undefined && best.distance <= Math.max(2, Math.floor(best.key.length / 3))) return best.key;
  // `cert` for `certFile`, `password` for `passwordFile`.
  return known.find((key) => written.length >= 4 && key.toLowerCase().startsWith(written.toLowerCase()));
}

/** Levenshtein: how many letters must be put in, left out or changed. Long texts are no misspelling of any key. */
function measureDistance(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > 8) return Number.POSITIVE_INFINITY;
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [row, letter] of Array.from(one).entries()) {
    const current = [row + 1];
    for (const [column, otherLetter] of Array.from(other).entries()) {
      const changed = (previous[column] ?? 0) + (letter === otherLetter ? 0 : 1);
      current.push(Math.min(changed, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
