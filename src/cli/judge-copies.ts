import { combineFailures } from '../errors/combine-failures.ts';
import { WardenError } from '../errors/warden-error.ts';

/** What became of one repository's copy of a backup; `done` is false also where there was nothing to do. */
export interface CopyOutcome {
  readonly repository: string;
  readonly done: boolean;
  readonly error: WardenError | undefined;
}

/** The error of a change that was to be made to every copy: none, `partly-held`, or that of the repositories that failed. */
export function judgeCopies(copies: readonly CopyOutcome[]): WardenError | undefined {
  const failures = copies.flatMap(({ repository, error }) => (error === undefined ? [] : [{ repository, error }]));
  const [first, ...others] = failures.map(({ error }) => error);
  if (first === undefined) return undefined;
  const repositories = failures.map(({ repository }) => repository);
  if (!copies.some(({ done }) => done)) {
    return combineFailures([first, ...others], { summary: 'no repository did it', details: { failed: repositories } });
  }
  const reasons = failures.map(({ repository, error }) => `${repository} failed: ${error.message}`);
  return new WardenError('partly-held', reasons.join('; '), {
    details: { failed: repositories, codes: [first, ...others].map(({ code }) => code) },
    cause: first,
  });
}
