import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { clean, Output, type Result } from '../../src/cli/output.ts';
import { WardenError } from '../../src/errors/warden-error.ts';
import { asTerminalStream, RecordedStream } from './streams.ts';

const error = new WardenError('store-full', 'no room', { details: { path: '/x' } });
const result: Result = { json: { backups: 3 }, lines: ['three backups'] };

describe('output', () => {
  let stdout: RecordedStream;
  let stderr: RecordedStream;

  function outputOf({ json = false, progress = false, isTTY = false } = {}): Output {
    [stdout, stderr] = [new RecordedStream(isTTY), new RecordedStream(isTTY)];
    return new Output({ json, progress, stdout: asTerminalStream(stdout), stderr: asTerminalStream(stderr) });
  }
  const flushed = () => new Promise(setImmediate);

  describe('for scripts', () => {
    it.each<[string, (output: Output) => void, unknown]>([
      ['a result', (output) => output.result(result), { backups: 3 }],
      [
        'a failure',
        (output) => output.outcome(undefined, error),
        { error: { code: 'store-full', message: 'no room', hint: error.hint, details: { path: '/x' } } },
      ],
      [
        'a partial success',
        (output) => output.outcome(result, error),
        { backups: 3, error: { code: 'store-full', message: 'no room', hint: error.hint, details: { path: '/x' } } },
      ],
    ])('%s is exactly one JSON document on stdout, and nothing on stderr', async (_, print, expected) => {
      print(outputOf({ json: true }));
      await flushed();
      expect(JSON.parse(stdout.text)).toEqual(expected);
      expect([stdout.text.endsWith('}\n'), stderr.text]).toEqual([true, '']);
    });

    it('64-bit numbers are strings, because readers of JSON lose their last digits', async () => {
      outputOf({ json: true }).result({ json: { revision: 2n ** 63n - 1n }, lines: [] });
      await flushed();
      expect(JSON.parse(stdout.text)).toEqual({ revision: '9223372036854775807' });
    });

    it('text of others arrives as it was, and moves no terminal on its way', async () => {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
          outputOf({ json: true }).result({ json: { text }, lines: [] });
          await flushed();
          expect(JSON.parse(stdout.text)).toEqual({ text });
          expect(stdout.text.replaceAll('\n', '')).toBe(clean(stdout.text.replaceAll('\n', '')));
        }),
      );
    });
  });

  describe('for people', () => {
    it('results are lines on stdout', async () => {
      outputOf().result({ json: null, lines: ['one', '', 'three'] });
      await flushed();
      expect([stdout.text, stderr.text]).toEqual(['one\n\nthree\n', '']);
    });

    it('an error is a sentence, a next step and a code on stderr', async () => {
      outputOf().outcome(undefined, error);
      await flushed();
      expect([stdout.text, stderr.text]).toEqual([
        '',
        'error: no room\nhint:  Make room on the disk or raise the quota of the store. [store-full]\n',
      ]);
    });

    it('an error of several lines is indented under its first', async () => {
      outputOf().outcome(undefined, new WardenError('config-invalid', 'config.yaml:1:1: one\nconfig.yaml:2:1: two'));
      await flushed();
      expect(stderr.text.split('\n').slice(0, 2)).toEqual([
        'error: config.yaml:1:1: one',
        '       config.yaml:2:1: two',
      ]);
    });

    it('what was done all the same comes before the error', async () => {
      outputOf().outcome(result, error);
      await flushed();
      expect([stdout.text, stderr.text.startsWith('error: no room')]).toEqual(['three backups\n', true]);
    });

    it('no text of others writes to the terminal, whether it is a result or an error', async () => {
      const hostile = 'm1\u001B[2J\u001B]0;title\u0007\r\nerror: all is lost';
      outputOf().outcome({ json: null, lines: [hostile] }, new WardenError('no-member', hostile));
      await flushed();
      expect(stdout.text).toBe('m1??error: all is lost\n');
      expect(stderr.text).toMatch(/^error: m1\?\n {7}error: all is lost\nhint: /);
    });

    it('colours stand on a terminal only', async () => {
      outputOf({ isTTY: true }).outcome(undefined, error);
      await flushed();
      expect(stderr.text).toContain('\u001B[31merror: \u001B[39mno room');
    });
  });

  describe('progress', () => {
    beforeEach(() => void vi.useRealTimers());

    it('says nothing where it may not be drawn', async () => {
      const output = outputOf();
      output.progress({ kind: 'stage', text: 'streaming' });
      output.result(result);
      await flushed();
      expect(stderr.text).toBe('');
    });

    it('is one line that is removed before anything else is printed', async () => {
      const output = outputOf({ progress: true, isTTY: true });
      output.progress({ kind: 'stage', text: 'streaming from m1' });
      output.result(result);
      await flushed();
      expect(stderr.text).toBe('\r\u001B[Kstreaming from m1\r\u001B[K');
    });

    it('tells bytes, their total and the share, but not for every block', async () => {
      vi.useFakeTimers({ toFake: ['performance'] });
      const output = outputOf({ progress: true, isTTY: true });
      output.progress({ kind: 'stage', text: 'streaming' });
      for (let block = 1; block <= 100; block += 1) {
        vi.advanceTimersByTime(5);
        output.progress({ kind: 'bytes', doneBytes: block * 1024, totalBytes: 204_800 });
      }
      vi.useRealTimers();
      await flushed();
      const drawn = stderr.text.split('\r\u001B[K').slice(1);
      expect(drawn).toHaveLength(6);
      expect(drawn.at(-1)).toBe('streaming 100.0 KiB of 200.0 KiB (50 %)');
    });

    it('never claims more than the whole, nor a share of an unknown whole', async () => {
      vi.useFakeTimers({ toFake: ['performance'] });
      const output = outputOf({ progress: true, isTTY: true });
      for (const totalBytes of [1024, undefined, 0]) {
        vi.advanceTimersByTime(1000);
        output.progress({ kind: 'bytes', doneBytes: 2048, totalBytes });
      }
      vi.useRealTimers();
      await flushed();
      expect(stderr.text.split('\r\u001B[K').slice(1)).toEqual([
        ' 2.00 KiB of 1.00 KiB (100 %)',
        ' 2.00 KiB',
        ' 2.00 KiB',
      ]);
    });
  });
});

describe('text of others', () => {
  it.each([
    ['stays as it is', 'pod-1 läuft ✓ 日本', 'pod-1 läuft ✓ 日本'],
    ['keeps a tab', 'a\tb', 'a\tb'],
    ['loses colours', '\u001B[31mred\u001B[0m', 'red'],
    ['breaks no line', 'a\nb\r\nc\u2028d', 'a?b??c?d'],
    ['turns no writing direction', 'a\u202Eb\u2066c\u200Fd', 'a?b?c?d'],
    ['hides nothing', 'a\u200Bb\uFEFFc', 'a?b?c'],
    ['sends no C1 controls', '\u009B2Ja\u0085b', 'a?b'],
  ])('%s', (_, text, cleaned) => {
    expect(clean(text)).toBe(cleaned);
  });
});
