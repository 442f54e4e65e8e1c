import { describe, expect, it } from 'vitest';
import { formatFacts, formatTable, type Column } from '../../src/cli/table.ts';

describe('a table', () => {
  const columns: Column<Record<'name' | 'size' | 'note', string>>[] = [
    { title: 'NAME', value: ({ name }) => name },
    { title: 'SIZE', align: 'right', value: ({ size }) => size },
    { title: 'NOTE', value: ({ note }) => note },
  ];

  it('has columns as wide as their widest cell, and nothing after the last one', () => {
    const rows = [
      { name: 'a', size: '1', note: 'short' },
      { name: 'a-long-name', size: '12345', note: '' },
    ];
    expect(formatTable(rows, columns)).toEqual([
      'NAME          SIZE  NOTE',
      'a                1  short',
      'a-long-name  12345',
    ]);
  });

  it('without rows has its titles', () => {
    expect(formatTable([], columns)).toEqual(['NAME  SIZE  NOTE']);
  });

  it('is as wide as what is shown of hostile text', () => {
    const rows = [{ name: '\u001B[31mm1\u001B[0m\n', size: '1', note: 'x' }];
    expect(formatTable(rows, columns)).toEqual(['NAME  SIZE  NOTE', 'm1?      1  x']);
  });
});

describe('facts', () => {
  it('have their values under one another', () => {
    expect(
      formatFacts([
        ['member', 'm1'],
        ['hash', 'fe'],
        ['empty', ''],
      ]),
    ).toEqual(['member  m1', 'hash    fe', 'empty']);
  });

  it('may be none', () => {
    expect(formatFacts([])).toEqual([]);
  });
});
