import type { Registry } from 'prom-client';
import type { Metrics } from '../../ports/metrics.ts';
import { fact, spread, tally, toSeconds } from './instruments.ts';
import { job as jobs, reason as reasons, result as results, valuesOf } from './label-values.ts';
import { catalogue } from './metric-catalogue.ts';

type JobEvents = Pick<Metrics, 'jobScheduled' | 'jobStarted' | 'jobEnded' | 'jobSkipped'>;

export function createJobMetrics(registry: Registry): JobEvents {
  const runs = tally(registry, catalogue.jobRuns);
  const skipped = tally(registry, catalogue.jobSkipped);
  const durations = spread(registry, catalogue.jobDuration);
  const drillDurations = spread(registry, catalogue.drillDuration);
  const running = fact(registry, catalogue.jobRunning);
  const lastRun = fact(registry, catalogue.jobLastRun);
  const lastRunSuccessful = fact(registry, catalogue.jobLastRunSuccessful);
  const lastRunDuration = fact(registry, catalogue.jobLastRunDuration);
  const lastSuccess = fact(registry, catalogue.jobLastSuccess);
  const nextRun = fact(registry, catalogue.jobNextRun);
  const interval = fact(registry, catalogue.jobInterval);

  // `increase()` does not see a series that begins at 1: so that the first failure counts, all begin at 0.
  for (const job of valuesOf(jobs)) {
    running.set({ job }, 0);
    for (const result of valuesOf(results)) runs.add({ job, result }, 0);
    for (const reason of valuesOf(reasons)) skipped.add({ job, reason }, 0);
  }

  return {
    jobScheduled: (job, schedule) => {
      nextRun.set({ job }, toSeconds(schedule?.nextRunAt));
      interval.set({ job }, schedule?.intervalSeconds);
    },
    jobStarted: (job) => running.set({ job }, 1),
    jobEnded: (job, { result, seconds, at }) => {
      running.set({ job }, 0);
      runs.add({ job, result }, 1);
      durations.observe({ job }, seconds);
      lastRun.set({ job }, toSeconds(at));
      lastRunSuccessful.set({ job }, result === 'succeeded' ? 1 : 0);
      lastRunDuration.set({ job }, seconds);
      if (result !== 'succeeded') return;
      lastSuccess.set({ job }, toSeconds(at));
      if (job === 'drill') drillDurations.observe({}, seconds);
    },
    jobSkipped: (job, reason) => skipped.add({ job, reason }, 1),
  };
}
