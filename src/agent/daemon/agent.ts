import { once } from 'node:events';
import type { Config } from '../../config/schema.ts';
import { describeThrown, toWardenError, WardenError } from '../../errors/warden-error.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { MetricsExport } from '../../ports/metrics-export.ts';
import type { Metrics } from '../../ports/metrics.ts';
import { Timetable } from '../../schedule/timetable.ts';
import type { Moment } from '../../schedule/planned-job.ts';
import { formatDuration, formatTime } from '../../format.ts';
import type { AgentStatus } from '../agent-status.ts';
import type { Parts, Tellers } from '../compose.ts';
import { type HttpServer, startHttpServer } from '../http/server.ts';
import { describeAgent } from './describe-agent.ts';
import { Every } from './every.ts';
import { JobRunner } from './job-runner.ts';
import { Knowledge } from './knowledge.ts';
import type { Order } from './lane.ts';
import { Looks } from './looks.ts';
import { Retries } from './retries.ts';
import { type PlannedJobFacts, readSchedule } from './schedule.ts';

export interface AgentOptions {
  readonly config: Config;
  readonly log: Log;
  readonly measures: Metrics & MetricsExport;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly open: (config: Config, tellers: Tellers) => Promise<Parts>;
  /** Reads the configuration anew; rejects with all that is wrong in it. */
  readonly reload: () => Promise<Config>;
}

const beatMs = 1000;

/** A loop that was not seen for so long is stuck, however busy the machine is. */
const stuckAfterMs = 60_000;

/**
 * The daemon. What it is at any moment:
 *
 * - **starting**: the port is bound, or it ends with `http-listen-failed`. Nothing else can keep it from starting: etcd and
 *   stores may come later.
 * - **watching**: every second it asks the timetable what came due, and hands that to the runner; every few minutes it lists
 *   the repositories, every half minute it asks the members. Without schedules it does only that.
 * - **working**: the same, while the runner carries out at most one job on the cluster and one on the repositories. A job
 *   that fails is tried again within its interval.
 * - **reloading**: for an instant. A configuration with faults changes nothing; a good one replaces timetable and port at
 *   once, and holds for every run and look that begins from then on.
 * - **ending**: told to, or because a part of it died. Runs are interrupted and release what they hold, then the port is
 *   closed, and `run` rejects with the reason.
 */
export class Agent {
  readonly #options: AgentOptions;
  readonly #knowledge = new Knowledge();
  readonly #retries = new Retries();
  readonly #runner: JobRunner;
  readonly #startedAt: Date;
  #config: Config;
  #schedule: readonly PlannedJobFacts[] = [];
  #timetable: Timetable;
  #server: HttpServer | undefined;
  #looks: Looks | undefined;
  #lastBeatMs: number;
  #reloading: Promise<void> = Promise.resolve();

  constructor(options: AgentOptions) {
    const { config, clock, log, measures, open } = options;
    this.#options = options;
    this.#config = config;
    this.#startedAt = clock.now();
    this.#lastBeatMs = clock.monotonicMs();
    this.#runner = new JobRunner({
      clock,
      log,
      measures,
      open,
      knowledge: this.#knowledge,
      config: () => this.#config,
      onEnded: (order, error) => this.#afterRun(order, error),
    });
    this.#timetable = this.#follow(config);
  }

  /** Rejects: with the reason of `signal` once everything has ended, or with what made a part of it die. */
  async run(signal: AbortSignal): Promise<never> {
    await using parts = new AsyncDisposableStack();
    this.#server = await this.#listen(this.#config);
    parts.defer(() => this.#server?.[Symbol.asyncDispose]());
    parts.use(this.#runner);
    const { log, measures, open } = this.#options;
    const seen = { log, measures, open, knowledge: this.#knowledge, config: () => this.#config };
    this.#looks = parts.use(new Looks(seen));
    const beats = parts.use(
      new Every(
        () => beatMs,
        async () => this.#beat(),
      ),
    );
    log.info('etcd-warden runs', {
      listens: this.#server.address,
      schedules: this.#schedule.map(({ job, cron }) => `${job} ${cron}`),
    });
    const told = signal.aborted ? Promise.resolve() : once(signal, 'abort').then(() => undefined);
    const died = [beats.ended, this.#looks.failed, this.#runner.failed, this.#watchServer()];
    try {
      await Promise.race([told, ...died]);
    } catch (error) {
      const reason = new WardenError('agent-died', `a part of the daemon died: ${describeThrown(error)}`, {
        cause: error,
      });
      await this.#runner.end(reason);
      throw reason;
    }
    const reason = toWardenError(
      signal.aborted ? signal.reason : new WardenError('agent-died', 'a loop ended by itself'),
    );
    await this.#runner.end(reason);
    throw reason;
  }

  /** What SIGHUP asks for. Never rejects. */
  reload(): Promise<void> {
    return (this.#reloading = this.#reloading.then(() => this.#reload()));
  }

  #follow(config: Config): Timetable {
    this.#schedule = readSchedule(config);
    this.#options.measures.repositoriesConfigured(config.repositories.map(({ name }) => name));
    this.#knowledge.keepRepositories(new Set(config.repositories.map(({ name }) => name)));
    this.#timetable = new Timetable(this.#schedule, this.#moment());
    this.#measureSchedule();
    return this.#timetable;
  }

  #beat(): void {
    const { clock, log, measures, random } = this.#options;
    const now = this.#moment();
    this.#lastBeatMs = now.monotonicMs;
    const { due, leftOut, clockJumpMs } = this.#timetable.beat(now, random);
    if (clockJumpMs !== undefined) {
      measures.clockJumped();
      log.warn('the clock was changed', {
        by: `${clockJumpMs < 0 ? '-' : '+'}${formatDuration(Math.abs(clockJumpMs))}`,
      });
    }
    for (const { job, occurrence, because } of leftOut) {
      log.info('a run was left out', { job, for: formatTime(occurrence), reason: because });
    }
    const retries = this.#retries.takeDue(clock.monotonicMs());
    for (const { job, occurrence } of due) {
      const planned = this.#schedule.find((facts) => facts.job === job);
      if (planned !== undefined) this.#request({ job: planned.job, occurrence, attempt: 0 });
    }
    for (const order of retries) if (!due.some(({ job }) => job === order.job)) this.#request(order);
    if (due.length > 0 || clockJumpMs !== undefined) this.#measureSchedule();
  }

  #request(order: Order): void {
    this.#retries.began(order.job, this.#options.clock.monotonicMs());
    this.#runner.request(order);
  }

  #afterRun(order: Order, error: WardenError | undefined): void {
    this.#looks?.repositoriesChanged();
    if (order.job === 'defrag') this.#looks?.membersChanged();
    const planned = this.#schedule.find(({ job }) => job === order.job);
    if (error === undefined || planned === undefined || error.code === 'interrupted') return;
    const { log, random } = this.#options;
    const nextAt = this.#timetable.nextAt(order.job);
    const { budgetPerHour } = planned;
    const plan = this.#retries.plan(order, error, this.#moment(), { nextAt, budgetPerHour }, random);
    if (typeof plan === 'number') log.debug('it will be tried again', { job: order.job, in: formatDuration(plan) });
    else log.debug('it will not be tried again before its next time', { job: order.job, reason: plan });
  }

  async #reload(): Promise<void> {
    const { clock, log, measures, reload } = this.#options;
    try {
      const config = await reload();
      if (config.cluster.name !== this.#config.cluster.name) {
        const names = `from ${this.#config.cluster.name} to ${config.cluster.name}`;
        throw new WardenError('config-invalid', `cluster.name changed ${names}: that takes a restart`);
      }
      await this.#moveTo(config);
      this.#config = config;
      this.#follow(config);
      this.#looks?.repositoriesChanged();
      measures.configReloaded({ ok: true, at: clock.now() });
      log.info('the configuration was read again', {
        schedules: this.#schedule.map(({ job, cron }) => `${job} ${cron}`),
      });
    } catch (error) {
      const { code, message } = toWardenError(error);
      measures.configReloaded({ ok: false, at: clock.now() });
      log.error('the configuration was not read again: the old one holds', { code, reason: message });
    }
  }

  /** Serves at the new address before the old one is given up. */
  async #moveTo(config: Config): Promise<void> {
    const { host, port } = this.#config.http.listen;
    if (host === config.http.listen.host && port === config.http.listen.port) return;
    const before = this.#server;
    this.#server = await this.#listen(config);
    await before?.[Symbol.asyncDispose]();
  }

  #listen(config: Config): Promise<HttpServer> {
    const { measures, log } = this.#options;
    return startHttpServer({
      ...config.http.listen,
      statusPage: config.http.statusPage,
      routes: {
        metrics: (accept) => measures.render(accept),
        livez: () => toHealth(this.#stuckBecause()),
        readyz: () => ({ ok: this.#status().verdict.level === 'safe', lines: this.#readyLines() }),
        status: () => this.#status(),
      },
      onError: (error, path) => log.warn('a request was not answered', { url: path, reason: error.message }),
    });
  }

  /** Rejects where the server stops by itself; one that was replaced by another address is no reason. */
  async #watchServer(): Promise<void> {
    for (;;) {
      const server = this.#server;
      const error = await server?.closed;
      if (error !== undefined) throw error;
      if (server === this.#server) return new Promise(() => undefined);
    }
  }

  #stuckBecause(): string | undefined {
    const sinceBeatMs = this.#options.clock.monotonicMs() - this.#lastBeatMs;
    if (sinceBeatMs > stuckAfterMs) return `the timetable was not looked at for ${formatDuration(sinceBeatMs)}`;
    return this.#runner.stuckBecause;
  }

  #readyLines(): readonly string[] {
    const { verdict, problems } = this.#status();
    return [verdict.sentence, ...problems.map(({ text }) => text)];
  }

  #status(): AgentStatus {
    const { clock } = this.#options;
    const schedule = this.#schedule.flatMap(({ job, cron, timeZone }) => {
      const nextAt = this.#timetable.nextAt(job);
      return nextAt === undefined ? [] : [{ job, cron, timeZone, nextAt }];
    });
    const backupIntervalSeconds = this.#schedule.find(({ job }) => job === 'backup')?.intervalSeconds;
    const { cluster, repositories } = this.#config;
    const facts = {
      cluster: cluster.name,
      startedAt: this.#startedAt,
      now: clock.now(),
      schedule,
      backupIntervalSeconds,
    };
    return describeAgent({ ...facts, repositories: repositories.map(({ name }) => name) }, this.#knowledge);
  }

  #measureSchedule(): void {
    const scheduled = new Map(this.#schedule.map((facts) => [facts.job, facts]));
    for (const job of ['backup', 'verify', 'prune', 'defrag'] as const) {
      const nextRunAt = this.#timetable.nextAt(job);
      const intervalSeconds = scheduled.get(job)?.intervalSeconds;
      const isKnown = nextRunAt !== undefined && intervalSeconds !== undefined;
      this.#options.measures.jobScheduled(job, isKnown ? { nextRunAt, intervalSeconds } : undefined);
    }
  }

  #moment(): Moment {
    const { clock } = this.#options;
    return { wall: clock.now(), monotonicMs: clock.monotonicMs() };
  }
}

function toHealth(stuckBecause: string | undefined): { readonly ok: boolean; readonly lines: readonly string[] } {
  return { ok: stuckBecause === undefined, lines: stuckBecause === undefined ? [] : [stuckBecause] };
}
