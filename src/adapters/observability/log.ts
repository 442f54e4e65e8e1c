import { pino, type DestinationStream } from 'pino';
import pretty from 'pino-pretty';
import type { Log, LogFields } from '../../ports/log.ts';

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'json' | 'pretty';
  /** Fields of every line. */
  readonly base: Readonly<Record<string, string>>;
  /** Called before each line, so that a progress line can get out of the way. */
  readonly beforeLine: () => void;
  /** Makes text of others safe for a terminal; JSON escapes what could move a cursor by itself. */
  readonly clean: (text: string) => string;
}

/** Log lines on stderr, written synchronously so that none is lost however the process ends. */
export function createLog({ level, format, base, beforeLine, clean }: LogOptions): Log {
  const sink = format === 'pretty' ? prettyStderr() : pino.destination({ fd: 2, sync: true });
  const destination: DestinationStream = {
    write: (line) => {
      beforeLine();
      sink.write(line);
    },
  };
  const logger = pino(
    { level, base, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    destination,
  );
  const write =
    (method: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: LogFields = {}): void =>
      format === 'pretty'
        ? logger[method](cleanFields(fields, clean), clean(message))
        : logger[method](fields, message);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function cleanFields(fields: LogFields, clean: LogOptions['clean']): LogFields {
  const entries = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'string' ? clean(value) : value,
  ]);
  return Object.fromEntries(entries) as LogFields;
}

function prettyStderr(): DestinationStream {
  return pretty({
    destination: 2,
    sync: true,
    colorize: process.stderr.isTTY,
    translateTime: 'UTC:HH:MM:ss',
    ignore: 'cluster',
  });
}
