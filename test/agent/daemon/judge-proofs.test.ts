import { describe, expect, it } from 'vitest';
import { backup, judge, minutesAgo, problemsOf, repository } from './safety-facts.ts';

describe('Backups that are to be read back', () => {
  const twoDays = 2 * 24 * 60 * 60;
  const proofs = (minutes: number | undefined, startedMinutesAgo: number): string[] => {
    const newestVerified = minutes === undefined ? undefined : backup(minutes);
    const safety = judge({
      repositories: [repository('primary', { newestVerified })],
      startedAt: minutesAgo(startedMinutesAgo),
      verifiedAgeLimitSeconds: twoDays,
    });
    return problemsOf(safety);
  };

  it.each([
    ['recently', 60, 9999, []],
    [
      'too long ago',
      60 * 72,
      9999,
      ['warning | Of the backups in primary none that is younger than 3d 0h was read back.'],
    ],
    ['never', undefined, 60 * 72, ['warning | Of the backups in primary none was read back.']],
    ['never, by an agent that is young', undefined, 60, []],
  ])('are judged by when the newest of them was: %s', (_, minutes, started, expected) => {
    expect(proofs(minutes, started)).toEqual(expected);
  });
});
