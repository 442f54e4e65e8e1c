/** What is kept, as the configuration says it. A count of 0 turns its rule off. */
export interface RetentionPolicy {
  readonly keepLast: number;
  readonly keepWithinMs: number;
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly yearly: number;
  /** An IANA name: where hours, days, weeks, months and years begin. */
  readonly timeZone: string;
  readonly keepMin: number;
  readonly maxRemovedPercent: number;
}
