import { expect, test } from 'vitest';
import { readSamples } from '../../../src/adapters/etcd/prometheus-text.ts';

const read = (text: string): unknown =>
  [...readSamples(text, new Set(['a', 'b:c_d']))].map(({ name, labels, value }) => [
    name,
    Object.fromEntries(labels),
    value,
  ]);

test.each([
  ['an integer', 'a 7\n', ['a', {}, 7]],
  ['a float as Go writes large ones', 'a 2.147483648e+09\n', ['a', {}, 2 ** 31]],
  ['a negative', 'a -1\n', ['a', {}, -1]],
  ['a name with a colon', 'b:c_d 1\n', ['b:c_d', {}, 1]],
  ['a timestamp after the value', 'a 1 1395066363000\n', ['a', {}, 1]],
  ['a last line without an end', 'a 1', ['a', {}, 1]],
  ['lines that end as on Windows', 'a{x="y"} 1\r\n', ['a', { x: 'y' }, 1]],
  ['labels', 'a{x="1",y_z="two, {three}"} 4\n', ['a', { x: '1', y_z: 'two, {three}' }, 4]],
  ['a comma after the last label, and spaces', 'a{ x = "1" , y="2", }  4\n', ['a', { y: '2' }, 4]],
  ['escapes in labels', String.raw`a{x="q\"b\\n\n"} 1`, ['a', { x: 'q"b\\n\n' }, 1]],
])('reads %s', (_, text, sample) => {
  expect(read(text)).toEqual([sample]);
});

test.each([
  ['comments', '# HELP a A.\n# TYPE a gauge\n'],
  ['other families, also such that begin alike', 'a_b 1\nab 1\nc{a="1"} 2\n'],
  ['values that are no finite number', 'a NaN\na +Inf\na -Inf\na x\na\na{x="1"}\n'],
  ['an unclosed label', 'a{x="1 2\n'],
  ['a web page', '<html>\n<body>a 1</body>\n'],
  ['nothing', ''],
])('passes over %s', (_, text) => {
  expect(read(text)).toEqual([]);
});

test('takes no longer than the text is long, whatever the text is', () => {
  const startMs = performance.now();
  for (const piece of ['a{x="', 'a ', '} 1 ', '\\"', 'a{', '} ']) read(`a{${piece.repeat(200_000)}`);
  expect(performance.now() - startMs).toBeLessThan(2_000);
});
