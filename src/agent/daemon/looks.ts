import type { Config } from '../../config/schema.ts';
import { toWardenError, WardenError } from '../../errors/warden-error.ts';
import { formatDuration } from '../../format.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Metrics } from '../../ports/metrics.ts';
import { withinLimit } from '../../repository/within-limit.ts';
import type { Parts, Tellers } from '../compose.ts';
import { readCertificates } from './certificates.ts';
import { Every } from './every.ts';
import type { Knowledge } from './knowledge.ts';
import { lookLimitMs } from './outdated.ts';
import { RepeatFilter } from './repeat-filter.ts';
import { lookAtMembers, lookAtRepositories, noteMembersGone } from './watch.ts';

export interface LookSurroundings {
  readonly clock: Clock;
  readonly log: Log;
  readonly measures: Metrics;
  readonly knowledge: Knowledge;
  /** The configuration as it is now. */
  readonly config: () => Config;
  /** Fresh parts for one look. */
  readonly open: (config: Config, tellers: Tellers) => Promise<Parts>;
}

/** What is looked at, and how. */
interface Subject {
  readonly name: string;
  readonly intervalMs: () => number;
  /** Looks once, and rejects with why that was not possible. */
  readonly look: (log: Log, signal: AbortSignal) => Promise<void>;
  /** Told where that took too long or was not possible at all. */
  readonly onFailure: (error: WardenError) => void;
}

/** Each look ends by itself; where a loop does not come around for so much longer, it is dead. */
const deadAfterMs = 2 * 60_000;

/** What is looked at again and again, whoever does the work. */
export class Looks implements AsyncDisposable {
  readonly #surroundings: LookSurroundings;
  readonly #repositories: Every;
  readonly #members: Every;
  readonly #certificates: Every;

  constructor(surroundings: LookSurroundings) {
    const { clock, config, knowledge, measures } = surroundings;
    this.#surroundings = surroundings;
    // No look needs a key, and the members are asked whatever is wrong with a repository.
    const toList = (): Config => ({ ...config(), encryption: 'none' });
    const toAsk = (): Config => ({ ...toList(), repositories: [] });
    this.#repositories = this.#begin({
      name: 'the repositories',
      intervalMs: () => config().watch.repositories.ms,
      look: (log, signal) => this.#withParts(toList(), lookAtRepositories, log, signal),
      onFailure: (error) => {
        for (const { name } of config().repositories) knowledge.repositoryFailed(name, error, clock.now());
      },
    });
    this.#members = this.#begin({
      name: 'the members',
      intervalMs: () => config().watch.members.ms,
      look: (log, signal) => this.#withParts(toAsk(), lookAtMembers, log, signal),
      onFailure: (error) => noteMembersGone(knowledge, measures, error, clock.now()),
    });
    this.#certificates = this.#begin({
      name: 'the certificates',
      intervalMs: () => config().watch.repositories.ms,
      look: async (log) => void (await readCertificates(config(), measures, log)),
      onFailure: () => undefined,
    });
  }

  /** Settles only if one of them fails, which only a defect can bring about. */
  get failed(): Promise<void> {
    return Promise.race([this.#repositories.ended, this.#members.ended, this.#certificates.ended]);
  }

  /** Which of them nobody looks at any more; undefined where all go on, also where looking fails. */
  get deadBecause(): string | undefined {
    const all = { repositories: this.#repositories, members: this.#members, certificates: this.#certificates };
    const [name, every] = Object.entries(all).find(([, { msLate }]) => msLate > deadAfterMs) ?? [];
    return every && `the look at the ${name} is overdue by ${formatDuration(every.msLate)}`;
  }

  /** Where and how often to look may be another now. */
  configChanged(): void {
    for (const every of [this.#repositories, this.#members, this.#certificates]) every.again();
  }

  /** Something was stored or removed. */
  repositoriesChanged(): void {
    this.#repositories.again();
  }

  membersChanged(): void {
    this.#members.again();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [this.#repositories, this.#members, this.#certificates];
    await Promise.all(all.map((every) => every[Symbol.asyncDispose]()));
  }

  #begin({ name, intervalMs, look, onFailure }: Subject): Every {
    const { clock, log } = this.#surroundings;
    const filter = new RepeatFilter(log);
    return new Every({ clock, intervalMs, limitMs: lookLimitMs }, async (signal) => {
      const told = filter.begin();
      const over = new AbortController();
      const tooLong = (): WardenError => {
        over.abort();
        return new WardenError('look-too-long', `a look at ${name} did not end within ${lookLimitMs / 1000} s`);
      };
      try {
        await withinLimit(look(told, AbortSignal.any([signal, over.signal])), lookLimitMs, tooLong);
      } catch (thrown) {
        if (signal.aborted) return;
        const error = toWardenError(thrown);
        if (error.code === 'internal') throw thrown;
        // A key or a certificate that cannot be read now may be there at the next look.
        told.warn('a look was not possible', { code: error.code, reason: error.message });
        onFailure(error);
      }
    });
  }

  async #withParts(needed: Config, look: typeof lookAtMembers, log: Log, signal: AbortSignal): Promise<void> {
    const { config, knowledge, measures, open } = this.#surroundings;
    await using parts = await open(needed, { log, measures });
    await look(parts, config(), knowledge, log, signal);
  }
}
