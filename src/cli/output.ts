import { stripVTControlCharacters, styleText } from 'node:util';
import type { WardenError } from '../errors/warden-error.ts';
import type { Progress, ProgressEvent } from '../ports/progress.ts';
import { formatBytes } from '../format.ts';

export interface OutputOptions {
  readonly json: boolean;
  /** Whether a moving progress line may be drawn. */
  readonly progress: boolean;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** A result as people read it and as scripts read it. */
export interface Result {
  readonly json: unknown;
  readonly lines: readonly string[];
}

/** Redrawing more often costs time and nobody can read it. */
const redrawMs = 100;

/**
 * Results to stdout, progress to stderr; the only place that prints. Every line is stripped of control characters,
 * because it may hold member names, keys or messages of servers: no remote party writes to the terminal.
 */
export class Output {
  readonly #options: OutputOptions;
  #lineDrawn = false;
  #lastDrawMs = 0;
  #stage = '';

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  result(result: Result): void {
    this.clearProgress();
    if (this.#options.json) this.#options.stdout.write(`${stringifyJson(result.json)}\n`);
    else for (const line of result.lines) this.#options.stdout.write(`${clean(line)}\n`);
  }

  /**
   * An error, after whatever was done all the same: one JSON document for scripts; for people a sentence and a next step,
   * unless it is said elsewhere.
   */
  outcome(result: Result | undefined, error: WardenError, { prose = true }: { readonly prose?: boolean } = {}): void {
    this.clearProgress();
    const { code, message, hint, details } = error;
    if (this.#options.json) {
      const done = typeof result?.json === 'object' ? result.json : {};
      this.#options.stdout.write(`${stringifyJson({ ...done, error: { code, message, hint, details } })}\n`);
      return;
    }
    if (result !== undefined) this.result(result);
    if (!prose) return;
    const { stderr } = this.#options;
    for (const [index, line] of message.split('\n').entries()) {
      stderr.write(`${index === 0 ? paint(stderr, 'red', 'error: ') : '       '}${clean(line)}\n`);
    }
    stderr.write(`${paint(stderr, 'cyan', 'hint: ')} ${clean(hint)} [${code}]\n`);
  }

  /** Draws progress on a terminal; says nothing where there is none. */
  readonly progress: Progress = (event: ProgressEvent) => {
    if (!this.#options.progress) return;
    const now = performance.now();
    if (event.kind === 'stage') this.#stage = event.text;
    else if (now - this.#lastDrawMs < redrawMs) return;
    this.#lastDrawMs = now;
    const bytes = event.kind === 'bytes' ? ` ${describeBytes(event.doneBytes, event.totalBytes)}` : '';
    const line = `${clean(this.#stage)}${bytes}`;
    // One row only: a line that wraps could not be drawn over.
    this.#options.stderr.write(`\r\u001B[K${line.slice(0, (this.#options.stderr.columns || 80) - 1)}`);
    this.#lineDrawn = true;
  };

  /** Removes the progress line before anything else is printed on the terminal. */
  clearProgress(): void {
    if (this.#lineDrawn) this.#options.stderr.write('\r\u001B[K');
    this.#lineDrawn = false;
  }
}

/** What moves a cursor, breaks a line, turns the writing direction, or cannot be seen. A tab does no harm. */
const unsafe = /[\u0000-\u0008\u000A-\u001F\u007F-\u009F\u061C\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/g;

/** Text of others, safe to print: no escape sequences, no control characters, no line breaks. */
export function clean(text: string): string {
  return stripVTControlCharacters(text).replaceAll(unsafe, '?');
}

function paint(stream: NodeJS.WriteStream, style: Parameters<typeof styleText>[0], text: string): string {
  return styleText(style, text, { stream });
}

function describeBytes(doneBytes: number, totalBytes: number | undefined): string {
  if (totalBytes === undefined || totalBytes === 0) return formatBytes(doneBytes);
  const percent = Math.min(100, Math.floor((doneBytes / totalBytes) * 100));
  return `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)} (${percent} %)`;
}

/** JSON in which 64-bit numbers are strings, because readers lose their last digits; nothing in it moves a terminal. */
function stringifyJson(value: unknown): string {
  const text = JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item), 2);
  return text.replaceAll(unsafe, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
