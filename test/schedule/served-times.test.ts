import { describe, expect, it } from 'vitest';
import { ServedTimes } from '../../src/schedule/served-times.ts';

const hourMs = 3_600_000;
const start = new Date('2026-11-24T10:00:00Z');
const hours = (count: number): Date => new Date(start.getTime() + count * hourMs);

/** Runs of an hourly job, each for one time or for several, in the order in which they began. */
function served(...runs: (number | [since: number, to: number])[]): ServedTimes {
  const times = new ServedTimes();
  for (const [index, run] of runs.entries()) {
    const [since, to] = typeof run === 'number' ? [run, run] : run;
    times.note({ since: hours(since), to: hours(to), next: hours(to + 1), startedAtMs: index * 1000 });
  }
  return times;
}

describe('the times that runs have stood for', () => {
  it('are none before the first run', () => {
    expect(served().servedMsAgo(start, 0)).toBeUndefined();
  });

  it('are those from the first to the last of each run', () => {
    const times = served([2, 4]);
    const known = [1, 2, 3, 4, 5].map((hour) => times.servedMsAgo(hours(hour), 60_000));
    expect(known).toEqual([undefined, 60_000, 60_000, 60_000, undefined]);
  });

  it('are known however many they are, as long as they follow each other', () => {
    const times = served(...Array.from({ length: 10_000 }, (_, hour) => hour));
    expect(times.servedMsAgo(hours(0), 10_000_000)).toBe(1000);
  });

  it('are not those in between where the clock jumped', () => {
    const times = served(0, 5);
    expect(times.servedMsAgo(hours(3), 60_000)).toBeUndefined();
    expect(times.servedMsAgo(hours(0), 60_000)).toBe(59_000);
  });

  it('are still known after the clock went back to before them', () => {
    const times = served(0, 1, -90_000, -89_999);
    expect(times.servedMsAgo(hours(1), 60_000)).toBe(57_000);
    expect(times.servedMsAgo(hours(-90_000), 60_000)).toBe(57_000);
    expect(times.servedMsAgo(hours(-100), 60_000)).toBeUndefined();
  });

  it('join where a later run stands for what lies between', () => {
    const times = served(0, 5, [-3, 9]);
    expect([-3, 3, 9].map((hour) => times.servedMsAgo(hours(hour), 60_000))).toEqual([58_000, 58_000, 58_000]);
  });
});
