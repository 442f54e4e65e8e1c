import { exitStatus, type ErrorCode } from './table.ts';
import { WardenError, type ErrorDetails } from './warden-error.ts';

/**
 * One error for attempts that all failed: the only one itself, else one that lists them all. Its code is their common one,
 * or that of one that found damage, because that matters more than what merely could not be asked, or `otherwise`.
 */
export function combineFailures(
  failures: readonly [WardenError, ...WardenError[]],
  { summary, otherwise, details = {} }: { summary: string; otherwise?: ErrorCode; details?: ErrorDetails },
): WardenError {
  const [first] = failures;
  if (failures.length === 1) return first;
  const damage = failures.find((error) => error.exitStatus === exitStatus.damage);
  const worst = damage ?? first;
  const areAlike = failures.every(({ code }) => code === first.code);
  const code = areAlike ? first.code : (damage?.code ?? otherwise ?? first.code);
  const reasons = new Set(failures.map(({ message }) => message));
  return new WardenError(code, `${summary}; ${[...reasons].join('; ')}`, {
    details: { ...details, codes: failures.map((error) => error.code) },
    cause: worst,
    ...(code === worst.code ? { hint: worst.hint } : {}),
  });
}
