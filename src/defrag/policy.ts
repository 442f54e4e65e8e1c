/** When a member is worth its pause, as the configuration says it. Fractions are from 0 to 1. */
export interface DefragPolicy {
  /** A member is due when all conditions of any one rule hold. */
  readonly rules: readonly DefragRule[];
  /** Less than this is never worth it. */
  readonly minReclaimBytes: number;
  /** Past this part of the quota windows and cooldown do not hold. */
  readonly emergencyUsage: number;
  readonly cooldownMs: number;
  readonly moveLeader: boolean;
  /** Entries that a voter may lag behind. */
  readonly maxRaftLag: number;
  readonly allowSingleMember: boolean;
  /** 0: a recent backup is not required. */
  readonly requireBackupWithinMs: number;
}

/** Conditions that are not given hold. */
export interface DefragRule {
  readonly fragmentationAbove?: number | undefined;
  readonly dbSizeAboveBytes?: number | undefined;
  readonly reclaimableAbove?: { readonly bytes: number } | { readonly fractionOfQuota: number } | undefined;
  readonly usageAbove?: number | undefined;
}
