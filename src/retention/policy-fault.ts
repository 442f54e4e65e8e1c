import { isTimeZone } from './periods.ts';
import type { RetentionPolicy } from './policy.ts';

const counts = ['keepLast', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;

/** Why nothing may be removed under this policy, in a sentence. Configuration is checked earlier; this is the last look. */
export function findPolicyFault(policy: RetentionPolicy): string | undefined {
  for (const name of [...counts, 'keepMin'] as const) {
    if (!Number.isSafeInteger(policy[name]) || policy[name] < 0)
      return `${name} must be an integer ≥ 0, got ${policy[name]}`;
  }
  for (const name of ['keepWithinMs', 'maxRemovedPercent'] as const) {
    if (!Number.isFinite(policy[name]) || policy[name] < 0) return `${name} must be a number ≥ 0, got ${policy[name]}`;
  }
  if (policy.keepMin < 1) return 'keepMin must be at least 1, got 0';
  if (!isTimeZone(policy.timeZone)) return `timeZone must be an IANA name, got ${JSON.stringify(policy.timeZone)}`;
  if (policy.keepWithinMs === 0 && counts.every((name) => policy[name] === 0)) {
    return `the policy keeps nothing: keepWithin and ${counts.join(', ')} are all 0`;
  }
  return undefined;
}
