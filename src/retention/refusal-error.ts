import { WardenError } from '../errors/warden-error.ts';
import type { Refusal, RefusalReason } from './plan.ts';

const hints: Readonly<Record<RefusalReason, string>> = {
  'empty-policy': 'Give the repository a retention that keeps something.',
  'no-verified-backup-left':
    'Take a backup and run `etcd-warden verify --all`; old ones go once good new ones are there.',
  'below-keep-min': 'Take more backups: old ones go once keepMin usable ones are there.',
  'no-recent-backup':
    'Find out why no new backup came. To prune all the same, run `etcd-warden prune --accept no-recent-backup`.',
  'too-many-at-once':
    'Look at `etcd-warden prune --dry-run`; if that is what you want, run `etcd-warden prune --max-removed 100%` once.',
  'unexplained-backups':
    'Find out who stored them. If they are yours, run `etcd-warden prune --accept unexplained-backups` once.',
  'other-lineage': 'Give the etcd cluster id to prune with --lineage.',
  'clock-behind-newest':
    'Set the clock of this machine. If it is right, the backup named was dated wrongly: remove it by hand.',
  'incomplete-listing': 'Make the store list all of its objects; see its message.',
};

/** A refusal as an error; `hint` where the reason beneath has a better one. */
export function refusalError(
  repository: string,
  { because, explanation }: Refusal,
  hint = hints[because],
): WardenError {
  const message = `nothing is removed from ${repository} (${because}): ${explanation}`;
  return new WardenError('prune-refused', message, { details: { repository, because }, hint });
}
