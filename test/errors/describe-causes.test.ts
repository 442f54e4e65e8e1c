import { describe, expect, it } from 'vitest';
import { describeCauses } from '../../src/errors/describe-causes.ts';
import { WardenError } from '../../src/errors/warden-error.ts';

/** An error with these texts, each caused by the next. */
function chainOf([text = '', ...deeper]: readonly string[]): Error {
  return deeper.length === 0 ? new Error(text) : new Error(text, { cause: chainOf(deeper) });
}

describe('What lies behind an error', () => {
  it('is nothing where it says it all', () => {
    expect(describeCauses(new WardenError('store-failed', 'the store is gone'))).toEqual([]);
  });

  it('is told from the nearest cause to the furthest', () => {
    expect(describeCauses(chainOf(['no backup', 'no upload', 'no socket']))).toEqual(['no upload', 'no socket']);
  });

  it('is told once: not what was said before, in whichever words around it', () => {
    const texts = ['the upload failed: refused', 'refused', 'no route', 'refused', 'no route'];
    expect(describeCauses(chainOf(texts))).toEqual(['no route']);
  });

  it('comes to an end where a chain leads back to its beginning', () => {
    const [one, other] = [new Error('one'), new Error('other')];
    one.cause = other;
    other.cause = one;
    expect(describeCauses(one)).toEqual(['other']);
  });

  // field: F170
  it.each<[unknown, RegExp]>([
    [new Error(''), /^Error without a message$/],
    [Object.assign(new Error(''), { code: 'ECONNRESET' }), /^Error ECONNRESET$/],
    ['plain text', /^plain text$/],
    [{ grpc: 14 }, /^something that is no error was thrown: .+/],
    [null, /^something that is no error was thrown: null$/],
    [
      new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused')]),
      /^::1 refused; 127.0.0.1 refused$/,
    ],
  ])('has a text whatever it is: %s', (cause, text) => {
    expect(describeCauses(new Error('it failed', { cause }))).toEqual([expect.stringMatching(text)]);
  });

  it('is told to a depth of eight', () => {
    const texts = Array.from({ length: 20 }, (_, depth) => `cause number ${String.fromCharCode(65 + depth)}`);
    expect(describeCauses(chainOf(texts))).toEqual(texts.slice(1, 9));
  });
});
