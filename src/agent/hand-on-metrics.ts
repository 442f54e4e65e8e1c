import type { Config } from '../config/schema.ts';
import { describeThrown, toWardenError, type WardenError } from '../errors/warden-error.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { FactGroup, MetricsExport } from '../ports/metrics-export.ts';
import type { JobName, Metrics } from '../ports/metrics.ts';
import type { Parts } from './compose.ts';
import { listRepositories } from './list-repositories.ts';
import { resultOf } from './measure-outcomes.ts';

/** Where the metrics of a process go that ends before anybody can scrape it. */
export interface Outlet {
  /** For messages: `the Pushgateway`. */
  readonly name: string;
  /** Rejects where it cannot be used at all: found before anything is done. */
  check(): Promise<void>;
  deliver(groups: readonly FactGroup[], log: Log, signal: AbortSignal): Promise<void>;
}

export interface MeasuredRun {
  readonly job: JobName;
  readonly config: Config;
  readonly parts: Parts;
  readonly measures: Metrics & MetricsExport;
  readonly outlets: readonly Outlet[];
}

/** The work is done: what a store does not tell by then is not told. */
const listingLimitMs = 15_000;

/** What may be said after a run that was told to stop: it must not hold its end up. */
const deliveryLimitMs = 6_000;

/**
 * Does a job and tells every outlet how it went, and what the repositories hold after it. That an outlet fails is a warning
 * and changes nothing about the job.
 */
export async function withMeasures<T extends { readonly error?: WardenError | undefined }>(
  { job, config, parts, measures, outlets }: MeasuredRun,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  for (const outlet of outlets) await outlet.check();
  const { clock } = parts;
  const startedMs = clock.monotonicMs();
  measures.jobStarted(job);
  const ended = (error: WardenError | undefined): void => {
    measures.jobEnded(job, { result: resultOf(error), seconds: secondsSince(startedMs, clock), at: clock.now() });
  };
  try {
    const outcome = await work();
    ended(outcome.error);
    return outcome;
  } catch (error) {
    ended(toWardenError(signal.aborted ? signal.reason : error));
    throw error;
  } finally {
    if (!signal.aborted) {
      const { name: cluster } = config.cluster;
      await listRepositories(parts, { cluster, limitMs: listingLimitMs }, signal).catch(() => undefined);
    }
    const groups = await measures.runFacts();
    await Promise.all(outlets.map((outlet) => deliver(outlet, groups, parts.log)));
  }
}

async function deliver(outlet: Outlet, groups: readonly FactGroup[], log: Log): Promise<void> {
  try {
    await outlet.deliver(groups, log, AbortSignal.timeout(deliveryLimitMs));
  } catch (error) {
    log.warn(`metrics did not reach ${outlet.name}`, { reason: describeThrown(error) });
  }
}

function secondsSince(startedMs: number, clock: Pick<Clock, 'monotonicMs'>): number {
  return (clock.monotonicMs() - startedMs) / 1000;
}
