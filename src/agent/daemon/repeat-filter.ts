import type { Log, LogFields } from '../../ports/log.ts';

/**
 * A log for work that is done again and again: a warning or an error that came in the time before as well is written at
 * level debug, so that a fault which lasts is told once and not every time. `begin` marks a new time.
 */
export class RepeatFilter {
  readonly #log: Log;
  #before = new Set<string>();
  #now = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  begin(): Log {
    this.#before = this.#now;
    this.#now = new Set();
    return {
      debug: (message, fields) => this.#log.debug(message, fields),
      info: (message, fields) => this.#log.info(message, fields),
      warn: (message, fields) => this.#write('warn', message, fields),
      error: (message, fields) => this.#write('error', message, fields),
    };
  }

  #write(level: 'warn' | 'error', message: string, fields: LogFields = {}): void {
    const key = [message, ...identifying.map((name) => fields[name])].join('\n');
    this.#now.add(key);
    if (this.#before.has(key)) this.#log.debug(message, fields);
    else this.#log[level](message, fields);
  }
}

/** What tells two faults apart; texts hold times and counts that are new each time. */
const identifying = ['code', 'repository', 'member', 'job', 'url'] as const;
