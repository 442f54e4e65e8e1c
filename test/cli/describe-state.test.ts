import { describe, expect, it } from 'vitest';
import { describeState } from '../../src/cli/describe-state.ts';

const now = new Date('2026-11-25T12:00:00Z');
const soon = new Date(now.getTime() + 1);

describe('the state of a backup in words', () => {
  it.each([
    ['complete', {}, 'complete'],
    ['damaged and held', { state: 'damaged', holds: ['a', 'b'] }, 'damaged, held'],
    ['held and locked', { holds: ['a'], lockedUntil: soon }, 'complete, held, locked'],
    ['not locked any more', { lockedUntil: now }, 'complete'],
    ['under a legal hold', { hasLegalHold: true }, 'complete, locked'],
  ] as const)('%s', (_, facts, words) => {
    expect(describeState({ state: 'complete', holds: [], ...facts }, now).join(', ')).toBe(words);
  });
});
