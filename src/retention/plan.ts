import type { BackupFacts } from './facts.ts';

/** Why a plan is not carried out. Stable: scripts and alerts rely on them. */
export type RefusalReason =
  | 'empty-policy'
  | 'no-verified-backup-left'
  | 'below-keep-min'
  | 'no-recent-backup'
  | 'too-many-at-once'
  | 'unexplained-backups'
  | 'other-lineage'
  | 'clock-behind-newest'
  | 'incomplete-listing';

/** What somebody looked at and says that it is all right, this once. */
export type Acceptance = 'unexplained-backups' | 'no-recent-backup' | 'revision-went-back' | 'lost-manifests';

export interface Decision {
  readonly backup: BackupFacts;
  readonly action: 'keep' | 'remove';
  /** In words, at least one: every rule that keeps it, or why none does. */
  readonly reasons: readonly string[];
}

export interface Refusal {
  readonly because: RefusalReason;
  /** What was found, in a sentence with its figures. */
  readonly explanation: string;
}

/** What `prune --dry-run` prints and a real run carries out. */
export type RetentionPlan = {
  /** The lineage that the decisions are about; undefined where there is no backup at all. */
  readonly lineage: string | undefined;
  /** Every backup of that lineage, newest first. With a refusal: what would have been done. */
  readonly decisions: readonly Decision[];
  /** How many of them count towards the rules. */
  readonly counted: number;
} & ({ readonly verdict: 'go' } | ({ readonly verdict: 'refuse' } & Refusal));
