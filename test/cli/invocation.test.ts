import { beforeEach, describe, expect, it, vi } from 'vitest';
import { compose } from '../../src/agent/compose.ts';
import { Invocation, type Outcome } from '../../src/cli/invocation.ts';
import { WardenError } from '../../src/errors/warden-error.ts';
import { configOf, minimalConfig } from '../config/minimal-config.ts';
import { asTerminalStream, noProcess, RecordedStream } from './streams.ts';

vi.mock('../../src/agent/compose.ts', { spy: true });

const result = { json: { backup: 'some' }, lines: ['done'] };
const config = configOf(minimalConfig);

describe('a command line being carried out', () => {
  let stop: AbortController;
  let stdout: RecordedStream;

  beforeEach(() => {
    vi.mocked(compose).mockReset();
    stop = new AbortController();
    stdout = new RecordedStream();
  });

  async function run(work: (invocation: Invocation) => Promise<Outcome>): Promise<[number, unknown]> {
    const surroundings = {
      ...noProcess,
      env: {},
      stdout: asTerminalStream(stdout),
      stderr: asTerminalStream(new RecordedStream()),
    };
    const status = await new Invocation({ json: true, progress: true }, surroundings, stop.signal).run(work);
    await new Promise(setImmediate);
    return [status, JSON.parse(stdout.text)];
  }

  /** What a command opens, with this release. */
  function openWith(release: () => Promise<void>): void {
    vi.mocked(compose).mockResolvedValue({ [Symbol.asyncDispose]: release } as unknown as Awaited<
      ReturnType<typeof compose>
    >);
  }

  it('prints its result and ends with 0', async () => {
    expect(await run(async () => ({ result }))).toEqual([0, { backup: 'some' }]);
  });

  it('prints what was done and what went wrong, and ends with the status of the error', async () => {
    const error = new WardenError('repositories-failed', 'one failed');
    expect(await run(async () => ({ result, error }))).toMatchObject([
      5,
      { backup: 'some', error: { code: 'repositories-failed' } },
    ]);
  });

  // field: F170
  it.each([[new Error('')], [undefined], ['text'], [new AggregateError([])]])(
    'gives a text to whatever is thrown: %s',
    async (thrown) => {
      const [status, json] = await run(() => Promise.reject(thrown));
      expect([status, json]).toEqual([
        1,
        {
          error: expect.objectContaining({
            code: 'internal',
            message: expect.stringMatching(/./) as unknown,
          }) as unknown,
        },
      ]);
    },
  );

  it('is told the reason of an interruption, whatever that broke', async () => {
    const work = async (): Promise<Outcome> => {
      stop.abort(new WardenError('interrupted', 'ended by SIGTERM'));
      throw new TypeError('the socket is gone');
    };
    expect(await run(work)).toMatchObject([1, { error: { code: 'interrupted', message: 'ended by SIGTERM' } }]);
  });

  it('releases what it opened before it prints', async () => {
    let printedAtRelease: string | undefined;
    openWith(async () => void (printedAtRelease = stdout.text));
    await run(async (invocation) => {
      await invocation.open(config);
      return { result };
    });
    expect(printedAtRelease).toBe('');
  });

  it('keeps its result where only the release failed, and says so', async () => {
    openWith(() => Promise.reject(new WardenError('store-failed', 'stuck')));
    const work = async (invocation: Invocation): Promise<Outcome> => {
      await invocation.open(config);
      return { result };
    };
    expect(await run(work)).toMatchObject([1, { backup: 'some', error: { code: 'store-failed' } }]);
  });

  it('keeps the error of the work where the release failed after it', async () => {
    openWith(() => Promise.reject(new Error('stuck')));
    const work = async (invocation: Invocation): Promise<Outcome> => {
      await invocation.open(config);
      throw new WardenError('store-full', 'no room');
    };
    expect(await run(work)).toMatchObject([1, { error: { code: 'store-full' } }]);
  });
});
