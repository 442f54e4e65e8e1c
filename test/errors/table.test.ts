import { describe, expect, it } from 'vitest';
import { errorTable, exitStatus } from '../../src/errors/table.ts';
import { renderErrorReference } from '../../tools/generate-errors.ts';

const rows = Object.entries(errorTable);

describe('the error table', () => {
  it.each(rows)('%s has a hint that is a whole sentence', (_, { hint }) => {
    expect(hint).toMatch(/^[A-Z`].*\.$/);
  });

  it('has codes of lower-case words and known exit statuses of failure', () => {
    const known = new Set<number>(Object.values(exitStatus));
    expect(rows.filter(([code]) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(code))).toEqual([]);
    expect(rows.filter(([, row]) => !known.has(row.exitStatus) || row.exitStatus === exitStatus.ok)).toEqual([]);
  });

  it('calls nothing that is wrong usage passing: the same words would be refused again', () => {
    expect(rows.filter(([, row]) => row.exitStatus === exitStatus.usage && row.retryable)).toEqual([]);
  });
});

describe('docs/errors.md', () => {
  it('has a row for every code', () => {
    const text = renderErrorReference();
    for (const [code, { hint }] of rows) {
      expect(text.split('\n').filter((line) => line.startsWith(`| \`${code}\` |`) && line.includes(hint))).toHaveLength(
        1,
      );
    }
  });
});
