import { describe, expect, it } from 'vitest';
import { errorTable } from '../../src/errors/table.ts';
import { describeThrown, isWardenError, toWardenError, WardenError } from '../../src/errors/warden-error.ts';

class HttpError extends Error {
  override readonly name = 'HttpError';
}

describe('a WardenError', () => {
  it('takes exit status, retryability and hint from the table', () => {
    const error = new WardenError('stream-short', 'ended early');
    const { exitStatus, retryable, hint } = errorTable['stream-short'];
    expect(error).toMatchObject({
      exitStatus,
      retryable,
      hint,
      details: {},
      name: 'WardenError',
      message: 'ended early',
    });
    expect([exitStatus, retryable]).toEqual([3, true]);
  });

  it('carries facts, its cause, and a hint of its own where one is better', () => {
    const cause = new Error('below');
    const error = new WardenError('internal', 'above', { cause, details: { path: '/x' }, hint: 'Do this.' });
    expect(error).toMatchObject({ cause, details: { path: '/x' }, hint: 'Do this.' });
  });

  it('has no cause where none was given', () => {
    expect(new WardenError('internal', 'above')).not.toHaveProperty('cause');
  });

  it('is told apart by its code', () => {
    const error = new WardenError('store-full', 'no room');
    expect(isWardenError(error)).toBe(true);
    expect(isWardenError(error, 'store-failed', 'store-full')).toBe(true);
    expect(isWardenError(error, 'store-failed')).toBe(false);
    expect(isWardenError(Object.assign(new Error('no room'), { code: 'store-full' }))).toBe(false);
  });
});

// field: F170
describe('whatever was thrown', () => {
  it.each<[string, unknown, string]>([
    ['an error', new Error('disk on fire'), 'disk on fire'],
    ['an error without a message', new Error(''), 'Error without a message'],
    ['an error of another class without a message', new HttpError(''), 'HttpError without a message'],
    ['an error with a code only', Object.assign(new Error(''), { code: 'ECONNRESET' }), 'Error ECONNRESET'],
    ['a gRPC error without details', Object.assign(new Error(''), { code: 14, details: '' }), 'Error 14'],
    ['a string', 'went wrong', 'went wrong'],
    ['an empty string', '', 'something that is no error was thrown: '],
    ['undefined', undefined, 'something that is no error was thrown: undefined'],
    ['null', null, 'something that is no error was thrown: null'],
    ['a number', 7, 'something that is no error was thrown: 7'],
    ['an object without a prototype', Object.create(null), 'something that is no error was thrown: [object Object]'],
    ['a symbol', Symbol('why'), 'something that is no error was thrown: Symbol(why)'],
    ['several errors', new AggregateError([new Error('one'), new Error('')]), 'one; Error without a message'],
    ['several errors under a message', new AggregateError([new Error('one')], 'all failed'), 'all failed'],
    ['an aggregate of nothing', new AggregateError([]), 'AggregateError without a message'],
  ])('%s has a text that is not empty', (_, thrown, text) => {
    expect(describeThrown(thrown)).toBe(text);
    const error = toWardenError(thrown);
    expect([error.code, error.message, error.cause]).toEqual(['internal', text, thrown]);
  });

  it('stays as it is if it is a WardenError', () => {
    const error = new WardenError('store-full', 'no room');
    expect(toWardenError(error)).toBe(error);
  });

  it('counts more than what its release met after that', async () => {
    const work = new WardenError('store-full', 'no room');
    const attempt = async (): Promise<void> => {
      await using _ = { [Symbol.asyncDispose]: () => Promise.reject(new Error('and the door was stuck')) };
      throw work;
    };
    expect(toWardenError(await attempt().catch((error: unknown) => error))).toBe(work);
  });
});
