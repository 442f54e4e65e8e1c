import { describe, expect, it } from 'vitest';
import { ObjectNames } from '../../../src/adapters/s3/object-names.ts';

describe('ObjectNames', () => {
  it.each([
    ['', ''],
    ['/', ''],
    ['a', 'a/'],
    ['a/', 'a/'],
    ['/a/', 'a/'],
    ['a//b', 'a/b/'],
    ['//a/b//', 'a/b/'],
  ])('takes the prefix %j for %j', (configured, prefix) => {
    const names = new ObjectNames(configured);
    expect(names.prefix).toBe(prefix);
    expect(names.keyOf(names.nameOf('c/d'))).toBe('c/d');
  });

  it('knows no key for a neighbour or for the folder itself', () => {
    const names = new ObjectNames('a');
    expect(names.keyOf('ab/k')).toBeUndefined();
    expect(names.keyOf('a/')).toBeUndefined();
  });
});
