import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { compose, composeLog } from '../../src/agent/compose.ts';
import { type GlobalOptions, Invocation, type Outcome } from '../../src/cli/invocation.ts';
import { WardenError } from '../../src/errors/warden-error.ts';
import { configOf, minimalConfig } from '../config/minimal-config.ts';
import { fieldsLog } from '../jobs/repositories.ts';
import { asTerminalStream, noProcess, RecordedStream } from './streams.ts';

vi.mock('../../src/agent/compose.ts', { spy: true });

const result = { json: { backup: 'some' }, lines: ['done'] };
const config = configOf(minimalConfig);

describe('a command line being carried out', () => {
  let stop: AbortController;
  let stdout: RecordedStream;
  let stderr: RecordedStream;
  let hangUp: () => void;

  beforeEach(() => {
    vi.mocked(compose).mockReset();
    stop = new AbortController();
    [stdout, stderr] = [new RecordedStream(), new RecordedStream()];
    hangUp = () => expect.fail('nobody listens');
  });

  async function carryOut(
    options: Partial<GlobalOptions>,
    work: (invocation: Invocation) => Promise<Outcome>,
  ): Promise<number> {
    const surroundings = {
      ...noProcess,
      env: {},
      stdout: asTerminalStream(stdout),
      stderr: asTerminalStream(stderr),
      onHangup: (listener: () => void) => void (hangUp = listener),
    };
    const status = await new Invocation({ progress: true, ...options }, surroundings, stop.signal).run(work);
    await new Promise(setImmediate);
    return status;
  }
  async function run(work: (invocation: Invocation) => Promise<Outcome>): Promise<[number, unknown]> {
    const status = await carryOut({ json: true }, work);
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

  describe('with a deadline', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    /** Goes on until it is told to end. */
    const endless = ({ signal }: Invocation): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('the socket is gone'))));

    it('is ended by it, with that as the reason', async () => {
      const status = carryOut({ json: true, deadline: 2000 }, endless);
      await vi.advanceTimersByTimeAsync(1999);
      expect(stdout.text).toBe('');
      await vi.advanceTimersByTimeAsync(1);
      expect(await status).toBe(1);
      const message = 'the command did not end within its deadline of 2 s';
      expect(JSON.parse(stdout.text)).toMatchObject({ error: { code: 'deadline-exceeded', message } });
    });

    it('is ended by a signal before it', async () => {
      const status = carryOut({ json: true, deadline: 2000 }, endless);
      await vi.advanceTimersByTimeAsync(1000);
      stop.abort(new WardenError('interrupted', 'ended by SIGTERM'));
      await status;
      expect(JSON.parse(stdout.text)).toMatchObject({ error: { code: 'interrupted' } });
    });

    it('keeps what was done in time', async () => {
      expect(await carryOut({ json: true, deadline: 2000 }, async () => ({ result }))).toBe(0);
    });
  });

  describe('whose log a collector reads', () => {
    let log: ReturnType<typeof fieldsLog>;

    beforeEach(() => {
      log = fieldsLog();
      vi.mocked(composeLog).mockReturnValue(log);
    });
    afterEach(() => {
      vi.mocked(composeLog).mockReset();
    });

    const failing =
      (error: WardenError) =>
      (invocation: Invocation): Promise<Outcome> => {
        invocation.openLog(config);
        return Promise.reject(error);
      };
    const lost = new WardenError('store-failed', 'the store is gone', { cause: new Error('ECONNRESET') });

    it('says why it failed in its last line, with what lies behind it and what to do, and not in prose', async () => {
      expect(await carryOut({}, failing(lost))).toBe(1);
      const fields = { code: 'store-failed', causes: ['ECONNRESET'], hint: lost.hint };
      expect(log.lines).toEqual([['error', 'the store is gone', fields]]);
      expect(stderr.text).toBe('');
    });

    it('takes an end by signal for a warning: somebody wanted it', async () => {
      await carryOut({}, failing(new WardenError('interrupted', 'ended by SIGTERM')));
      expect(log.lines).toMatchObject([['warn', 'ended by SIGTERM', { code: 'interrupted' }]]);
    });

    it('says nothing there where all went well', async () => {
      await carryOut({}, async (invocation) => {
        invocation.openLog(config);
        return { result };
      });
      expect(log.lines).toEqual([]);
    });

    it.each<[string, Partial<GlobalOptions>, string]>([
      ['is silent', { logLevel: 'silent' }, ''],
      ['is for people', {}, 'log: {format: pretty}\n'],
    ])('is told in prose where the log %s', async (_, options, section) => {
      await carryOut(options, (invocation) => {
        invocation.openLog(configOf(`${minimalConfig}${section}`));
        return Promise.reject(lost);
      });
      expect(log.lines).toEqual([]);
      expect(stderr.text).toContain('the store is gone');
    });
  });

  it('hears of SIGHUP, and does not end by what goes wrong then', async () => {
    let heard = 0;
    await run(async (invocation) => {
      invocation.onHangup(() => {
        heard += 1;
        return Promise.reject(new Error('nobody catches this'));
      });
      hangUp();
      hangUp();
      return { result };
    });
    expect(heard).toBe(2);
  });
});
