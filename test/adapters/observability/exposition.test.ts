import { describe, expect, it } from 'vitest';
import { writeOpenMetrics, writeText } from '../../../src/adapters/observability/exposition.ts';
import type { Family, Sample } from '../../../src/ports/metrics-export.ts';

const family = (
  name: string,
  type: Family['type'],
  samples: readonly Omit<Sample, 'name'>[],
  help = 'Help.',
): Family => ({
  name,
  type,
  help,
  samples: samples.map((sample) => ({ name, ...sample })),
});

describe.each([
  ['the text format', writeText],
  ['OpenMetrics', writeOpenMetrics],
])('%s', (_, write) => {
  const lines = (families: readonly Family[]): string[] =>
    write(families)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));

  it('escapes labels', () => {
    const labels = { a: 'q"b\\c\nd', b: '' };
    expect(lines([family('x', 'gauge', [{ labels, value: 1 }])])).toEqual([String.raw`x{a="q\"b\\c\nd",b=""} 1`]);
  });

  it.each([
    [0, '0'],
    [-1.5, '-1.5'],
    [1795653287.993, '1795653287.993'],
    [2 ** 70, '1.1805916207174113e+21'],
    [1e-9, '1e-9'],
    [Number.NaN, 'NaN'],
    [Infinity, '+Inf'],
    [-Infinity, '-Inf'],
  ])('writes %s as %s', (value, text) => {
    expect(lines([family('x', 'gauge', [{ labels: {}, value }])])).toEqual([`x ${text}`]);
  });
});

it('the text format names a family as its samples are named', () => {
  const counter = family('x_total', 'counter', [{ labels: {}, value: 3 }], 'Say "x".\nBack\\slash.');
  expect(writeText([counter])).toBe('# HELP x_total Say "x".\\nBack\\\\slash.\n# TYPE x_total counter\nx_total 3\n');
});

it('OpenMetrics names a counter without its suffix, escapes quotes in the help, and says where it ends', () => {
  const counter = family('x_total', 'counter', [{ labels: {}, value: 3 }], 'Say "x".\nBack\\slash.');
  expect(writeOpenMetrics([counter])).toBe(
    '# TYPE x counter\n# HELP x Say \\"x\\".\\nBack\\\\slash.\nx_total 3\n# EOF\n',
  );
  expect(writeOpenMetrics([])).toBe('# EOF\n');
});

it('bounds of buckets are canonical in OpenMetrics, and plain in the text format', () => {
  const bounds = ['0.5', '1', '21600', '+Inf'];
  const histogram: Family = {
    name: 'x',
    type: 'histogram',
    help: 'Help.',
    samples: bounds.map((le) => ({ name: 'x_bucket', labels: { le }, value: 1 })),
  };
  const boundsIn = (text: string): (string | undefined)[] => [...text.matchAll(/le="(.*?)"/g)].map((match) => match[1]);
  expect(boundsIn(writeText([histogram]))).toEqual(bounds);
  expect(boundsIn(writeOpenMetrics([histogram]))).toEqual(['0.5', '1.0', '21600.0', '+Inf']);
});
