import { expect } from 'vitest';
import type { ErrorCode } from '../../src/errors/table.ts';

/** Matches a WardenError of this code whose message holds all the texts: `await expect(x).rejects.toEqual(wardenError('…'))`. */
export function wardenError(code: ErrorCode, ...texts: readonly string[]): unknown {
  return expect.toSatisfy(
    (error: unknown) => {
      if (!(error instanceof Error) || !('code' in error) || error.code !== code) return false;
      return texts.every((text) => error.message.includes(text));
    },
    `is a WardenError ${code} that says ${texts.join(' and ')}`,
  );
}
