import type { DefragRun } from '../../jobs/defrag.ts';
import type { BackupResult } from '../../jobs/backup.ts';
import type { PrunedRepository } from '../../jobs/prune.ts';
import type { VerifyResult } from '../../jobs/verify.ts';
import { combineFailures } from '../../errors/combine-failures.ts';
import { exitStatus } from '../../errors/table.ts';
import { WardenError } from '../../errors/warden-error.ts';

/*
 * What a job did, as the error that its run ends with; undefined where all is well. The same for a command and for the daemon.
 */

/** The backup exists; but a repository that has none of it, or a member with bad data, must not go unnoticed. */
export function judgeBackup({ failed, stored, damagedMembers }: BackupResult): WardenError | undefined {
  const damaged = damagedMembers.map(({ name, reason }) => `member ${name}: ${reason}`);
  if (failed.size > 0) {
    const reasons = [...failed].map(([name, { message }]) => `${name} failed: ${message}`);
    const message = `stored in ${stored.join(', ')} only; ${[...reasons, ...damaged].join('; ')}`;
    const codes = [...failed.values()].map(({ code }) => code);
    return new WardenError('repositories-failed', message, { details: { stored, failed: [...failed.keys()], codes } });
  }
  if (damaged.length === 0) return undefined;
  return new WardenError('member-damaged', damaged.join('; '), {
    details: { members: damagedMembers.map(({ name }) => name) },
  });
}

/** Damage comes first; then failures of all, then of some. */
export function judgeVerified({ backups, failed }: VerifyResult, repositories: number): WardenError | undefined {
  const errors = backups.flatMap(({ repository, place, error }) =>
    error === undefined ? [] : [{ where: `${repository}: ${place.id.text}`, error }],
  );
  for (const [repository, error] of failed) errors.push({ where: repository, error });
  const worst = errors.find(({ error }) => error.exitStatus === exitStatus.damage) ?? errors[0];
  if (worst === undefined) return undefined;
  const message = errors.map(({ where, error }) => `${where}: ${error.message}`).join('\n');
  const details = { codes: errors.map(({ error }) => error.code) };
  const someWorked =
    backups.some(({ error }) => error === undefined) || (failed.size > 0 && failed.size < repositories);
  if (worst.error.exitStatus !== exitStatus.damage && someWorked) {
    return new WardenError('partly-verified', message, { details });
  }
  return new WardenError(worst.error.code, message, { details, hint: worst.error.hint, cause: worst.error });
}

export function judgePruned(pruned: readonly PrunedRepository[]): WardenError | undefined {
  const [first, ...others] = pruned.flatMap(({ error }) => error ?? []);
  if (first === undefined) return undefined;
  const failures = [first, ...others] as const;
  if (failures.length === pruned.length) return combineFailures(failures, { summary: 'no repository was pruned' });
  return new WardenError('partly-pruned', failures.map(({ message }) => message).join('; '), {
    details: { codes: failures.map(({ code }) => code) },
    hint: first.hint,
  });
}

export function judgeDefrag({ members, stoppedBy }: DefragRun): WardenError | undefined {
  if (stoppedBy === undefined) return undefined;
  const finished = members.filter(({ error }) => error === undefined).map(({ name }) => name);
  if (finished.length === 0) return stoppedBy;
  return new WardenError('partly-defragmented', `${finished.join(', ')} done, then: ${stoppedBy.message}`, {
    details: { ...stoppedBy.details, finished, code: stoppedBy.code },
    hint: stoppedBy.hint,
    cause: stoppedBy,
  });
}
