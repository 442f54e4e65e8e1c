import { isWardenError, WardenError, type ErrorDetails } from '../errors/warden-error.ts';

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
  const [first] = failures;
  if (first !== undefined && failures.every((error) => isWardenError(error, first.code))) return first;
  const reasons = skipped.map(({ name, reason }) => `${name}: ${reason}`);
  const details: ErrorDetails = { members: reasons, codes: failures.map((error) => error.code) };
  return new WardenError('no-member', `no member could serve a snapshot; ${reasons.join('; ')}`, { details });
}
