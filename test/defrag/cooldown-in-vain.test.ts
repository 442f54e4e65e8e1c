import { describe, expect, it } from 'vitest';
import { describeCooldown } from '../../src/defrag/cooldown.ts';
import { defaults, GiB, hourMs, member, now } from './cluster.ts';

/** 7.5 GiB of a quota of 8 GiB: past emergencyUsage. */
const full = { dbSizeBytes: 7.5 * GiB, inUseBytes: 4 * GiB };
const an = (afterBytes: number) => ({
  lastDefrag: { at: new Date(now.getTime() - hourMs), beforeBytes: 7 * GiB, afterBytes, failures: 0 },
});

describe('In an emergency', () => {
  it('a member that gave something back may be defragmented again at once', () => {
    expect(describeCooldown(member(0, { ...full, ...an(4 * GiB) }), defaults, now)).toBeUndefined();
  });

  // field: F075
  it.each([7 * GiB, 7.2 * GiB])('one that gave nothing back rests as ever: no loop', (afterBytes) => {
    expect(describeCooldown(member(0, { ...full, ...an(afterBytes) }), defaults, now)).toBe(
      'defragmented 1 h ago, cooldown 6 h',
    );
  });
});
