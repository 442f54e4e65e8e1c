import { once } from 'node:events';
import type { Config } from '../../config/schema.ts';
import { describeThrown, toWardenError, WardenError } from '../../errors/warden-error.ts';
import { formatDuration } from '../../format.ts';
import type { MetricsExport } from '../../ports/metrics-export.ts';
import type { Metrics } from '../../ports/metrics.ts';
import type { AgentStatus } from '../agent-status.ts';
import type { Parts, Tellers } from '../compose.ts';
import type { HttpRoutes } from '../http/routes.ts';
import { Clockwork, type ClockworkSurroundings } from './clockwork.ts';
import { describeAgent } from './describe-agent.ts';
import { Every } from './every.ts';
import { JobRunner, type RunnerSurroundings } from './job-runner.ts';
import { Knowledge } from './knowledge.ts';
import type { Order } from './lane.ts';
import { Looks } from './looks.ts';
import { Service } from './service.ts';

export interface AgentOptions extends ClockworkSurroundings {
  readonly config: Config;
  readonly measures: Metrics & MetricsExport;
  readonly open: (config: Config, tellers: Tellers) => Promise<Parts>;
  /** Reads the configuration anew; rejects with all that is wrong in it. */
  readonly reload: () => Promise<Config>;
  /** Told first, so that somebody can see to it that the end comes: what died may keep the rest from ending. */
  readonly onDeath: (reason: WardenError) => void;
}

const beatMs = 1000;

/** A loop that was not seen for so long is stuck, however busy the machine is. */
const stuckAfterMs = 60_000;

/**
 * The daemon. What it is at any moment:
 *
 * - **starting**: the port is bound, or it ends with `http-listen-failed`. Nothing else can keep it from starting: etcd and
 *   stores may come later.
 * - **watching**: every second it asks what has to begin, and hands that to the runner; every few minutes it lists the
 *   repositories, every half minute it asks the members. Without schedules it does only that.
 * - **working**: the same, while the runner carries out at most one job on the cluster and one on the repositories. A job
 *   that fails is tried again within its interval.
 * - **reloading**: for an instant. A configuration with faults changes nothing; a good one replaces schedule and port at
 *   once, and holds for every run and look that begins from then on.
 * - **ending**: told to, or because a part of it died. Runs are interrupted and release what they hold, then the port is
 *   closed, and `run` rejects with the reason.
 */
export class Agent {
  readonly #options: AgentOptions;
  readonly #startedAt: Date;
  readonly #surroundings: Omit<RunnerSurroundings, 'onEnded'>;
  readonly #knowledge = new Knowledge();
  readonly #clockwork: Clockwork;
  readonly #runner: JobRunner;
  readonly #service: Service;
  #config: Config;
  #looks: Looks | undefined;
  #reloading: Promise<void> = Promise.resolve();

  constructor(options: AgentOptions) {
    const { config, clock, log, measures, open } = options;
    this.#options = options;
    this.#config = config;
    this.#startedAt = clock.now();
    this.#clockwork = new Clockwork(config, options);
    this.#surroundings = { clock, log, measures, open, knowledge: this.#knowledge, config: () => this.#config };
    const onEnded = (order: Order, error: WardenError | undefined): void => this.#afterRun(order, error);
    this.#runner = new JobRunner({ ...this.#surroundings, onEnded });
    this.#service = new Service(() => this.#config.http, this.#routes(), log);
    measures.repositoriesConfigured(config.repositories.map(({ name }) => name));
  }

  /** Rejects: with the reason of `signal` once everything has ended, or with what made a part of it die. */
  async run(signal: AbortSignal): Promise<never> {
    const { log } = this.#options;
    await using parts = new AsyncDisposableStack();
    parts.use(this.#service);
    const listens = await this.#service.listen(this.#config.http.listen);
    parts.use(this.#runner);
    this.#looks = parts.use(new Looks(this.#surroundings));
    const beats = parts.use(
      new Every({ clock: this.#options.clock, intervalMs: () => beatMs, limitMs: beatMs }, async () => this.#beat()),
    );
    log.info('etcd-warden runs', { listens, schedules: this.#describeSchedule() });
    const told = signal.aborted ? Promise.resolve() : once(signal, 'abort').then(() => undefined);
    const died = Promise.race([beats.ended, this.#looks.failed, this.#runner.failed, this.#service.failed()]);
    const reason = await Promise.race([told, died]).then(
      () => toWardenError(signal.reason),
      (error: unknown) => toDeath(error),
    );
    if (!signal.aborted) this.#options.onDeath(reason);
    await this.#runner.end(reason);
    throw reason;
  }

  /** What SIGHUP asks for. Never rejects. */
  reload(): Promise<void> {
    return (this.#reloading = this.#reloading.then(() => this.#reload()));
  }

  #beat(): void {
    for (const order of this.#clockwork.beat()) this.#runner.request(order);
  }

  #afterRun(order: Order, error: WardenError | undefined): void {
    if (error !== undefined) this.#clockwork.hasFailed(order, error);
    this.#looks?.repositoriesChanged();
    if (order.job === 'defrag') this.#looks?.membersChanged();
  }

  async #reload(): Promise<void> {
    const { clock, log, measures, reload } = this.#options;
    try {
      const config = await reload();
      requireSameCluster(this.#config, config);
      const { listen } = config.http;
      const { host, port } = this.#config.http.listen;
      if (host !== listen.host || port !== listen.port) await this.#service.listen(listen);
      this.#config = config;
      this.#clockwork.follow(config);
      const repositories = config.repositories.map(({ name }) => name);
      this.#knowledge.keepRepositories(new Set(repositories));
      // Retention after each backup has no schedule of its own.
      this.#knowledge.keepJobs(
        this.#clockwork.jobs.union(new Set(config.schedules.prune.after === 'backup' ? ['prune'] : [])),
      );
      measures.repositoriesConfigured(repositories);
      measures.configReloaded({ ok: true, at: clock.now() });
      this.#knowledge.refusedReload = undefined;
      this.#looks?.configChanged();
      log.info('the configuration was read again', { schedules: this.#describeSchedule() });
    } catch (error) {
      const { code, message, hint } = toWardenError(error);
      const at = clock.now();
      measures.configReloaded({ ok: false, at });
      this.#knowledge.refusedReload = { at, code, message, hint };
      log.error('the configuration was not read again: the old one holds', { code, reason: message });
    }
  }

  #routes(): HttpRoutes {
    return {
      metrics: (accept) => this.#options.measures.render(accept),
      livez: () => {
        const stuckBecause = this.#stuckBecause();
        return { ok: stuckBecause === undefined, lines: stuckBecause === undefined ? [] : [stuckBecause] };
      },
      readyz: () => {
        const { verdict, problems } = this.#status();
        const { level, sentence } = verdict;
        const others = problems.map(({ text }) => text).filter((text) => !sentence.includes(text));
        return { ok: level === 'safe', lines: [sentence, ...others] };
      },
      status: () => this.#status(),
    };
  }

  #stuckBecause(): string | undefined {
    const { msSinceBeat } = this.#clockwork;
    if (msSinceBeat > stuckAfterMs) return `the schedule was not looked at for ${formatDuration(msSinceBeat)}`;
    return this.#runner.stuckBecause ?? this.#looks?.deadBecause;
  }

  #status(): AgentStatus {
    const { cluster, repositories, watch } = this.#config;
    const facts = {
      cluster: cluster.name,
      startedAt: this.#startedAt,
      now: this.#options.clock.now(),
      schedule: this.#clockwork.schedule,
      backupIntervalSeconds: this.#clockwork.intervalSeconds('backup'),
      verifyIntervalSeconds: this.#clockwork.intervalSeconds('verify'),
      repositories: repositories.map(({ name }) => name),
      lookIntervalMs: { repositories: watch.repositories.ms, members: watch.members.ms },
    };
    return describeAgent(facts, this.#knowledge);
  }

  #describeSchedule(): string[] {
    return this.#clockwork.schedule.map(({ job, cron }) => `${job} ${cron}`);
  }
}

/** Metrics, log lines and locks carry the name: it belongs to the process. */
function requireSameCluster({ cluster: { name } }: Config, { cluster }: Config): void {
  if (cluster.name === name) return;
  throw new WardenError('config-invalid', `cluster.name changed from ${name} to ${cluster.name}: that takes a restart`);
}

function toDeath(cause: unknown): WardenError {
  return new WardenError('agent-died', `a part of the daemon died: ${describeThrown(cause)}`, { cause });
}
