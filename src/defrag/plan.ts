import type { MemberFacts } from './facts.ts';

/** Why nothing is defragmented now. Stable: scripts and alerts rely on them. */
export type DefragRefusalReason =
  | 'no-leader'
  | 'split-view'
  | 'unstarted-member'
  | 'unreachable-voter'
  | 'lagging-voter'
  | 'corrupt-alarm'
  | 'defrag-running'
  | 'snapshot-open'
  | 'activity-unknown'
  | 'unsafe-version'
  | 'would-break-quorum'
  | 'no-recent-backup'
  | 'single-member'
  | 'unknown-quota'
  | 'no-successor';

export interface DefragStep {
  readonly member: MemberFacts;
  readonly role: 'follower' | 'leader' | 'single';
  /** The voter that takes over before; undefined where leadership stays. */
  readonly moveLeaderTo: MemberFacts | undefined;
  /** Which rule is due and with which figures, in words. */
  readonly reasons: readonly string[];
  readonly predictedReclaimBytes: number;
  /** Past `emergencyUsage`: cooldown and windows do not hold. */
  readonly isEmergency: boolean;
}

export interface SkippedMember {
  readonly member: MemberFacts;
  /** With the figures that they follow from. */
  readonly reasons: readonly string[];
}

export interface DefragRefusal {
  readonly because: DefragRefusalReason;
  /** What was found, in a sentence with names and figures. */
  readonly explanation: string;
}

/** What `defrag --dry-run` prints; a real run carries out its first step, looks again and plans again. */
export type DefragPlan = {
  /** Followers first, the leader last. With a refusal: what would have been done. */
  readonly steps: readonly DefragStep[];
  readonly skipped: readonly SkippedMember[];
} & ({ readonly verdict: 'go' } | ({ readonly verdict: 'refuse' } & DefragRefusal));
