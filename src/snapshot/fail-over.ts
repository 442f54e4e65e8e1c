import { combineFailures } from '../errors/combine-failures.ts';
import { WardenError } from '../errors/warden-error.ts';

/** Errors that speak about one member; another one may still serve. What a store or a key did would happen again. */
export function triesNextMember(error: WardenError): boolean {
  if (error.code === 'stream-held-too-long') return false;
  return /^(etcd|stream|trailer|snapshot)-/.test(error.code) || error.code === 'too-complex';
}

/** The error of a run in which no member served: the members' common one, or one that lists them all. */
export function noMemberServed(
  failures: readonly WardenError[],
  skipped: readonly { readonly name: string; readonly reason: string }[],
): WardenError {
  const [first, ...others] = failures;
  const summary = 'no member could serve a snapshot';
  const members = skipped.map(({ name, reason }) => `${name}: ${reason}`);
  if (first !== undefined) {
    return combineFailures([first, ...others], { summary, otherwise: 'no-member', details: { members } });
  }
  return new WardenError('no-member', `${summary}; ${members.join('; ')}`, { details: { members } });
}
