import type { Unchecked } from '../repository/read-back.ts';

const meanings: Readonly<Record<Unchecked['what'], (because: string) => string>> = {
  'own-manifest': () =>
    "whether the manifest there is this run's. It was there when it was to be written, as it is where an answer got lost; its name is of this run alone",
  'read-back': (because) =>
    `whether it can be read back and opened (${because}). \`verify\` tells, with a role that may read: docs/iam/verify.json`,
};

/** What a backup left open, and what that means: rows of facts, none where everything was seen. */
export function describeUnchecked(
  unchecked: ReadonlyMap<string, readonly Unchecked[]>,
): (readonly [name: string, value: string])[] {
  return [...unchecked].flatMap(([repository, facts]) =>
    facts.map(({ what, because }) => ['not checked', `${repository}: ${meanings[what](because)}`] as const),
  );
}
