/** How far the clocks of several agents may lie apart: what is dated further ahead is of a clock that was wrong. */
export const clockToleranceMs = 5 * 60_000;
