import { describe, expect, it } from 'vitest';
import { judgeCopies } from '../../src/cli/judge-copies.ts';
import { WardenError } from '../../src/errors/warden-error.ts';
import { wardenError } from '../support/errors.ts';

const done = { repository: 'done', done: true, error: undefined };
const absent = { repository: 'absent', done: false, error: undefined };
const failedWith = (repository: string, error: WardenError) => ({ repository, done: false, error });
const unreachable = failedWith('far', new WardenError('store-unreachable', 'no route'));
const locked = failedWith('worm', new WardenError('refused', 'locked until 2027'));

describe('a change to the copies of a backup', () => {
  it('is done where no repository failed, although some do not have it', () => {
    expect(judgeCopies([done, absent])).toBeUndefined();
  });

  it('is partly done where some failed, each for its reason', () => {
    const error = judgeCopies([unreachable, done, locked]);
    expect(error).toEqual(wardenError('partly-held', 'far failed: no route', 'worm failed: locked until 2027'));
    expect([error?.exitStatus, error?.details]).toEqual([
      5,
      { failed: ['far', 'worm'], codes: ['store-unreachable', 'refused'] },
    ]);
  });

  it('fails as the only one that failed where none succeeded', () => {
    expect(judgeCopies([absent, locked])).toBe(locked.error);
    expect(locked.error.exitStatus).toBe(4);
  });

  it('fails as the first one where several failed and none succeeded', () => {
    expect(judgeCopies([unreachable, locked])).toEqual(wardenError('store-unreachable', 'no route', 'locked'));
  });
});
