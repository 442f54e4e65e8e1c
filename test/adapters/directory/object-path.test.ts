import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileNameOfTemporary, isKeyPart, temporaryName } from '../../../src/adapters/directory/object-path.ts';

describe('fileNameOfTemporary', () => {
  it.each(['manifest.json', 'a b', 'ü', 'k.part-0123456789ab', 'two\nlines', 'x'.repeat(200)])(
    'finds %j again in its temporary name',
    (fileName) => {
      expect(fileNameOfTemporary(temporaryName(fileName))).toBe(fileName);
    },
  );

  it('finds every name again that a key can hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }).filter(isKeyPart), (fileName) => {
        expect(fileNameOfTemporary(temporaryName(fileName))).toBe(fileName);
      }),
    );
  });

  it.each([
    'k',
    '.k',
    '.hidden',
    'k.part-0123456789ab',
    '.k.part-',
    '.k.part-0123456789a',
    '.k.part-0123456789abc',
    '.k.part-0123456789AB',
    '.k.part-0123456789ag',
    '.k.part-0123456789ab~',
    '.k.part-0123456789ab\n',
    '.k.swp',
    '.k-part-0123456789ab',
    '..part-0123456789ab',
    '..k.part-0123456789ab',
    '.nul\0.part-0123456789ab',
    '.\uFFFD.part-0123456789ab',
    `.${'x'.repeat(201)}.part-0123456789ab`,
  ])('takes %j for a stranger’s', (name) => {
    expect(fileNameOfTemporary(name)).toBeUndefined();
  });
});
