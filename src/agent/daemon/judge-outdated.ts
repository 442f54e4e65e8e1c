import { formatTime } from '../../format.ts';
import type { LookFault, MembersState, Problem, RepositoryState } from '../agent-status.ts';
import { danger, warning } from './problem.ts';

/** What is shown although nobody knows whether it is still so: from when it is, since when looking fails, and why. */
export function judgeOutdated(repositories: readonly RepositoryState[], members: MembersState): Problem[] {
  const problems = repositories.flatMap(({ name, isOutdated, listedAt, error }) =>
    isOutdated && listedAt !== undefined ? judge(`repository ${name}`, { done: 'listed', at: listedAt, error }) : [],
  );
  const { isOutdated, seenAt, error } = members;
  if (!isOutdated || seenAt === undefined) return problems;
  return [...problems, judge('etcd', { done: 'asked', at: seenAt, error })];
}

interface LastLook {
  readonly done: 'listed' | 'asked';
  readonly at: Date;
  readonly error: LookFault | undefined;
}

function judge(what: string, { done, at, error }: LastLook): Problem {
  const shown = `what is shown of it is from ${formatTime(at)}`;
  if (error === undefined)
    return warning(`${what} was not ${done} for a long time: ${shown}.`, 'See /livez and the log.');
  const { since, message, hint } = error;
  const text = `${what} cannot be ${done} since ${formatTime(since)}, so ${shown}: ${message}.`;
  // An etcd of which nothing is known is in trouble; a store holds what it held.
  return done === 'asked' ? danger(text, hint) : warning(text, hint);
}
