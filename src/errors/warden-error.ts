import { errorTable, type ErrorCode } from './table.ts';

/** Facts for machines: plain JSON, never secrets, never bigint (write those as strings). */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

export interface ErrorContext {
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
  /** Replaces the table's hint where this place knows better what to do next. */
  readonly hint?: string;
}

/**
 * The one error class. `code` is stable and is what callers branch on; the message is for people and names
 * what was expected and what was found; exit status, retryability and hint come from the table.
 */
export class WardenError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = 'WardenError';
    this.code = code;
    this.details = context.details ?? {};
    this.hint = context.hint ?? errorTable[code].hint;
  }

  get exitStatus(): number {
    return errorTable[this.code].exitStatus;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }
}

/** True for a WardenError, narrowed to `codes` when some are given. */
export function isWardenError(error: unknown, ...codes: readonly ErrorCode[]): error is WardenError {
  return error instanceof WardenError && (codes.length === 0 || codes.includes(error.code));
}

/** Whatever was thrown, as a WardenError with a text that is never empty. */
export function toWardenError(thrown: unknown): WardenError {
  if (thrown instanceof WardenError) return thrown;
  // What ended the work matters more than what its release met after that.
  if (thrown instanceof SuppressedError) return toWardenError(thrown.suppressed);
  return new WardenError('internal', describeThrown(thrown), { cause: thrown });
}

/** A non-empty sentence for anything that can be thrown: a string, undefined, an AggregateError, an error without text. */
export function describeThrown(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0 && thrown.message === '') {
    return thrown.errors.map(describeThrown).join('; ');
  }
  if (thrown instanceof Error) {
    if (thrown.message !== '') return thrown.message;
    const code = 'code' in thrown ? String(thrown.code) : '';
    return code === '' ? `${thrown.name} without a message` : `${thrown.name} ${code}`;
  }
  if (typeof thrown === 'string' && thrown !== '') return thrown;
  return `something that is no error was thrown: ${textOf(thrown)}`;
}

/** `String` itself fails for an object that cannot turn into a primitive. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
