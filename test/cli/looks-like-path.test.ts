import { describe, expect, it } from 'vitest';
import { looksLikePath } from '../../src/cli/looks-like-path.ts';

describe('an argument', () => {
  it.each(['./snapshot', 'snapshot.db', '/var/backups/s', '../s'])('%s is a file', (argument) => {
    expect(looksLikePath(argument)).toBe(true);
  });

  it.each(['latest', 'latest-verified', '20261124T140000Z-r228678-k3f9x2qa', '2026'])('%s is a backup', (argument) => {
    expect(looksLikePath(argument)).toBe(false);
  });
});
