import type { Unchecked } from '../repository/read-back.ts';

const meanings: Readonly<Record<Unchecked['what'], string>> = {
  'own-manifest':
    "whether the manifest there is this run's. It was there when it was to be written, as it is where an answer got lost; its name is of this run alone",
  'read-back':
    'whether it can be read back and opened, because this role may not read. `verify` tells, with a role of its own (docs/iam/verify.json)',
};

/** What a backup left open for want of rights, and what that means: rows of facts, none where everything was seen. */
export function describeUnchecked(
  unchecked: ReadonlyMap<string, readonly Unchecked[]>,
): (readonly [name: string, value: string])[] {
  return [...unchecked].flatMap(([repository, facts]) =>
    facts.map(({ what }) => ['not checked', `${repository}: ${meanings[what]}`] as const),
  );
}
