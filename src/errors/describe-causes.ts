import { describeThrown } from './warden-error.ts';

const mostCauses = 8;

/** What lies behind an error, from the nearest cause to the furthest, each text once. Empty where the error says it all. */
export function describeCauses(error: Error): readonly string[] {
  const told = [error.message];
  const causes: string[] = [];
  let cause = error.cause;
  // A chain may lead back to where it began.
  while (cause !== undefined && told.length <= mostCauses) {
    const text = describeThrown(cause);
    if (!told.some((known) => known.includes(text))) causes.push(text);
    told.push(text);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}
