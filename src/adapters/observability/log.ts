import { pino, type DestinationStream } from 'pino';
import pretty from 'pino-pretty';
import type { Log } from '../../ports/log.ts';

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'json' | 'pretty';
  /** Fields of every line. */
  readonly base: Readonly<Record<string, string>>;
  /** Called before each line, so that a progress line can get out of the way. */
  readonly beforeLine: () => void;
}

/** Log lines on stderr, written synchronously so that none is lost however the process ends. */
export function createLog({ level, format, base, beforeLine }: LogOptions): Log {
  const sink = format === 'pretty' ? prettyStderr() : pino.destination({ fd: 2, sync: true });
  const destination: DestinationStream = {
    write: (line) => {
      beforeLine();
      sink.write(line);
    },
  };
  const logger = pino({ level, base, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
  };
}

function prettyStderr(): DestinationStream {
  return pretty({ destination: 2, sync: true, colorize: process.stderr.isTTY, translateTime: 'UTC:HH:MM:ss', ignore: 'cluster' });
}
