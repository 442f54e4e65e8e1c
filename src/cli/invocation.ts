import { compose, composeFiles, composeLog, composeMetrics, composeOutlets, type Parts } from '../agent/compose.ts';
import { withMeasures } from '../agent/hand-on-metrics.ts';
import { unmeasured } from '../agent/unmeasured.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { exitStatus } from '../errors/table.ts';
import { describeCauses } from '../errors/describe-causes.ts';
import { toWardenError, WardenError } from '../errors/warden-error.ts';
import type { Log } from '../ports/log.ts';
import type { JobName, Metrics } from '../ports/metrics.ts';
import { clean, Output, type Result } from './output.ts';

/** Options that stand before or after every command. */
export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly progress: boolean;
  readonly deadline?: number;
}

/** What a command line needs of the process. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** How long the process may take to end once it was told to. */
  readonly limitShutdown: (limitMs: number) => void;
  /** What SIGHUP does from now on, instead of ending the run. */
  readonly onHangup: (listener: () => void) => void;
  /** Ends the run for this reason, within that limit. */
  readonly interrupt: (reason: WardenError) => void;
}

/** How a command ended: what it found, what went wrong, or both where a part of the work was done. */
export interface Outcome {
  readonly result?: Result;
  readonly error?: WardenError;
}

/** What a command file hands its work to; thrown errors become the outcome too. */
export type CarryOut = (work: (invocation: Invocation) => Promise<Outcome>) => Promise<void>;

/** One command line being carried out: its options, its output, and whatever it opened. */
export class Invocation {
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly #options: GlobalOptions;
  readonly #surroundings: Surroundings;
  readonly #opened = new AsyncDisposableStack();
  /** Set once a log is open that a collector reads. */
  #jsonLog: Log | undefined;

  constructor(options: GlobalOptions, surroundings: Surroundings, signal: AbortSignal) {
    const { stdout, stderr } = surroundings;
    const progress = options.progress && options.json !== true && stderr.isTTY;
    this.output = new Output({ json: options.json === true, progress, stdout, stderr });
    this.signal = options.deadline === undefined ? signal : AbortSignal.any([signal, deadlineAfter(options.deadline)]);
    this.#options = options;
    this.#surroundings = surroundings;
  }

  /** Runs a command to its end, prints what came of it, releases everything; resolves with the exit status. */
  async run(work: (invocation: Invocation) => Promise<Outcome>): Promise<number> {
    const { result, error } = await this.#attempt(work);
    if (error === undefined) {
      if (result !== undefined) this.output.result(result);
      return exitStatus.ok;
    }
    // Where the log is JSON a collector reads it, and prose in between would be lost: the last line says why.
    this.output.outcome(result, error, { prose: this.#jsonLog === undefined });
    const level = error.code === 'interrupted' ? 'warn' : 'error';
    // Whoever told it to end knows what to do next.
    const hint = level === 'warn' ? {} : { hint: error.hint };
    this.#jsonLog?.[level](error.message, { code: error.code, causes: describeCauses(error), ...hint });
    return error.exitStatus;
  }

  /** Whether exactly one JSON document is to be printed. */
  get isJson(): boolean {
    return this.#options.json === true;
  }

  /** The configuration that --config or the environment names; `config-not-found` if neither does. */
  async loadConfig(): Promise<Config> {
    if (this.#configPath === undefined) throw new WardenError('config-not-found', 'no configuration file was named');
    return loadConfig(this.#configPath, this.#surroundings.env);
  }

  /** Adapters for a configuration, released when the command has ended. */
  async open(config: Config, measures: Metrics = unmeasured): Promise<Parts> {
    return this.#opened.use(await compose(config, { log: this.openLog(config), measures }));
  }

  /** The same for a job, whose metrics go where the configuration says. */
  async measure(job: JobName, config: Config, work: (parts: Parts) => Promise<Outcome>): Promise<Outcome> {
    const outlets = composeOutlets(config);
    if (outlets.length === 0) return work(await this.open(config));
    const measures = composeMetrics(config);
    const parts = await this.open(config, measures);
    return withMeasures({ job, config, parts, measures, outlets }, this.signal, () => work(parts));
  }

  openLog(config: Config): Log {
    this.#surroundings.limitShutdown(config.shutdownTimeout.ms);
    const isForPerson = config.log.format === 'auto' && this.#surroundings.stderr.isTTY;
    const format = config.log.format === 'auto' ? (isForPerson ? 'pretty' : 'json') : config.log.format;
    // A person is told the result anyway: what only repeats it would be noise.
    const usualLevel = isForPerson && config.log.level === 'info' ? 'warn' : config.log.level;
    const level = this.#options.logLevel ?? usualLevel;
    const beforeLine = (): void => this.output.clearProgress();
    const log = composeLog(config, { level, format, beforeLine, clean });
    if (format === 'json' && level !== 'silent') this.#jsonLog = log;
    return log;
  }

  /** Ends the run as a signal does: what does not let go in time is left behind. */
  interrupt(reason: WardenError): void {
    this.#surroundings.interrupt(reason);
  }

  /** What SIGHUP does from now on. */
  onHangup(listener: () => Promise<void>): void {
    this.#surroundings.onHangup(() => void listener().catch(() => undefined));
  }

  /** The same for commands that can do without: undefined if no configuration was named. */
  async openIfConfigured(): Promise<Parts | undefined> {
    return this.#configPath === undefined ? undefined : this.open(await this.loadConfig());
  }

  /** Local files, for commands that need no configuration. */
  readonly files = composeFiles();

  get #configPath(): string | undefined {
    return this.#options.config ?? this.#surroundings.env['ETCD_WARDEN_CONFIG'];
  }

  async #attempt(work: (invocation: Invocation) => Promise<Outcome>): Promise<Outcome> {
    let outcome: Outcome = {};
    try {
      await using _ = this.#opened;
      outcome = await work(this);
      return outcome;
    } catch (error) {
      // What was done stays done, also where only the release of what it used failed.
      return { error: toWardenError(this.signal.aborted ? this.signal.reason : error), ...outcome };
    }
  }
}

/** Aborted, with a reason, once the time is over. */
function deadlineAfter(limitMs: number): AbortSignal {
  const over = new AbortController();
  const message = `the command did not end within its deadline of ${limitMs / 1000} s`;
  setTimeout(() => over.abort(new WardenError('deadline-exceeded', message)), limitMs).unref();
  return over.signal;
}
