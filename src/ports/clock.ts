/** Time, so that jobs can be tested at any moment. */
export interface Clock {
  now(): Date;
  /** Milliseconds that only ever grow; for durations. */
  monotonicMs(): number;
}
