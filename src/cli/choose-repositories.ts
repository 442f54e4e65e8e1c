import { WardenError } from '../errors/warden-error.ts';
import type { Repository } from '../ports/repository.ts';

/** All repositories, or the one named with --repository. */
export function chooseRepositories(
  repositories: readonly Repository[],
  name: string | undefined,
): readonly Repository[] {
  if (name === undefined) return repositories;
  const chosen = repositories.filter((repository) => repository.name === name);
  if (chosen.length > 0) return chosen;
  const known = repositories.map((repository) => repository.name).join(', ');
  throw new WardenError('usage', `--repository must be one of ${known}, got ${JSON.stringify(name)}`);
}
