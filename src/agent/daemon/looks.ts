import type { Config } from '../../config/schema.ts';
import { toWardenError } from '../../errors/warden-error.ts';
import type { Log } from '../../ports/log.ts';
import type { Metrics } from '../../ports/metrics.ts';
import type { Parts, Tellers } from '../compose.ts';
import { readCertificates } from './certificates.ts';
import { Every } from './every.ts';
import type { Knowledge } from './knowledge.ts';
import { RepeatFilter } from './repeat-filter.ts';
import { lookAtMembers, lookAtRepositories } from './watch.ts';

export interface LookSurroundings {
  readonly log: Log;
  readonly measures: Metrics;
  readonly knowledge: Knowledge;
  /** The configuration as it is now. */
  readonly config: () => Config;
  /** Fresh parts for one look. */
  readonly open: (config: Config, tellers: Tellers) => Promise<Parts>;
}

/** What is looked at again and again, whoever does the work. */
export class Looks implements AsyncDisposable {
  readonly #surroundings: LookSurroundings;
  readonly #repositories: Every;
  readonly #members: Every;
  readonly #certificates: Every;

  constructor(surroundings: LookSurroundings) {
    const { config, log, measures } = surroundings;
    this.#surroundings = surroundings;
    // No look needs a key, and the members are asked whatever is wrong with a repository.
    const toList = (): Config => ({ ...config(), encryption: 'none' });
    const toAsk = (): Config => ({ ...toList(), repositories: [] });
    this.#repositories = this.#look(() => config().watch.repositories.ms, toList, lookAtRepositories);
    this.#members = this.#look(() => config().watch.members.ms, toAsk, lookAtMembers);
    const filter = new RepeatFilter(log);
    const read = async (): Promise<void> => void (await readCertificates(config(), measures, filter.begin()));
    this.#certificates = new Every(() => config().watch.repositories.ms, read);
  }

  /** Settles only if one of them fails, which only a defect can bring about. */
  get failed(): Promise<void> {
    return Promise.race([this.#repositories.ended, this.#members.ended, this.#certificates.ended]);
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

  #look(intervalMs: () => number, needed: () => Config, at: typeof lookAtMembers): Every {
    const { log, measures, knowledge, config, open } = this.#surroundings;
    const filter = new RepeatFilter(log);
    return new Every(intervalMs, async (signal) => {
      const told = filter.begin();
      try {
        await using parts = await open(needed(), { log: told, measures });
        await at(parts, config(), knowledge, told, signal);
      } catch (thrown) {
        if (signal.aborted) return;
        const { code, message } = toWardenError(thrown);
        if (code === 'internal') throw thrown;
        // A key or a certificate that cannot be read now may be there at the next look.
        told.warn('a look was not possible', { code, reason: message });
        knowledge.lookFailed(
          config().repositories.map(({ name }) => name),
          toWardenError(thrown),
        );
      }
    });
  }
}
