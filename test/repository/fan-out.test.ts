import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { FanOut } from '../../src/repository/fan-out.ts';
import { wardenError } from '../support/errors.ts';
import { ControlledUpload, laneOf } from './controlled-upload.ts';

const { signal } = new AbortController();
const block = Buffer.from('block');
const limits = { stallMs: 30_000, patienceMs: 600_000 };

describe('sending one stream to several repositories', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 0 }));

  // A rejection that nobody handles fails the run as well: vitest sees to that.
  afterEach(() => {
    const timersLeft = vi.getTimerCount();
    vi.useRealTimers();
    if (timersLeft > 0) throw new Error(`${timersLeft} timers were left`);
  });

  function fanOutOf(uploads: Readonly<Record<string, ControlledUpload>>): FanOut {
    const lanes = Object.entries(uploads).map(([name, upload]) => laneOf(name, upload));
    return new FanOut(lanes, limits, () => Date.now());
  }

  it('gives every repository the same blocks in the same order', async () => {
    const [a, b] = [new ControlledUpload().answerAtOnce(), new ControlledUpload().answerAtOnce()];
    const fanOut = fanOutOf({ a, b });
    const blocks = ['1', '2', '3'].map((text) => Buffer.from(text));
    for (const each of blocks) await fanOut.write(each);
    expect([a.written, b.written]).toEqual([blocks, blocks]);
  });

  it('takes the next block only once the slowest has taken this one', async () => {
    const [fast, slow] = [new ControlledUpload().answerAtOnce(), new ControlledUpload()];
    const taken = vi.fn<() => void>();
    const writing = fanOutOf({ fast, slow }).write(block).then(taken);
    await vi.advanceTimersByTimeAsync(limits.stallMs - 1);
    expect(taken).not.toHaveBeenCalled();
    slow.succeed();
    await writing;
    expect(taken).toHaveBeenCalledOnce();
  });

  it('drops a repository that fails, aborts its upload and goes on with the others', async () => {
    const [good, bad] = [new ControlledUpload().answerAtOnce(), new ControlledUpload()];
    const fanOut = fanOutOf({ good, bad });
    const writing = fanOut.write(block);
    bad.fail(new WardenError('store-full', 'no room'));
    await writing;
    await fanOut.write(block);
    expect(fanOut.failures).toEqual(new Map([['bad', wardenError('store-full', 'no room')]]));
    expect([good.written.length, bad.written.length]).toEqual([2, 1]);
    expect([good.isAborted, bad.isAborted]).toEqual([false, true]);
  });

  it('drops a repository that takes nothing for the stall limit while another one waits', async () => {
    const [fast, stalled] = [new ControlledUpload().answerAtOnce(), new ControlledUpload()];
    const fanOut = fanOutOf({ fast, stalled });
    const writing = fanOut.write(block);
    await vi.advanceTimersByTimeAsync(limits.stallMs);
    await writing;
    expect(fanOut.failures).toEqual(new Map([['stalled', wardenError('repository-too-slow', 'stalled', '30000 ms')]]));
    expect(stalled.isAborted).toBe(true);
    await fanOut.write(block);
    expect([fast.written.length, stalled.written.length]).toEqual([2, 1]);
  });

  it('counts the stall from the first that took the block: when all are slow none is dropped', async () => {
    const [a, b] = [new ControlledUpload(), new ControlledUpload()];
    const fanOut = fanOutOf({ a, b });
    const writing = fanOut.write(block);
    await vi.advanceTimersByTimeAsync(10 * limits.stallMs);
    a.succeed();
    await vi.advanceTimersByTimeAsync(limits.stallMs - 1);
    b.succeed();
    await writing;
    expect(fanOut.failures.size).toBe(0);
  });

  it('waits for a slow one when the fast one fails, but not for a third that stalls behind it', async () => {
    const [failing, slow, stalled] = [new ControlledUpload(), new ControlledUpload(), new ControlledUpload()];
    const fanOut = fanOutOf({ failing, slow, stalled });
    const writing = fanOut.write(block);
    failing.fail(new WardenError('store-failed', 'gone'));
    await vi.advanceTimersByTimeAsync(10 * limits.stallMs);
    slow.succeed();
    await vi.advanceTimersByTimeAsync(limits.stallMs);
    await writing;
    expect([...fanOut.failures.keys()]).toEqual(['failing', 'stalled']);
  });

  it('never drops the only repository for being slow', async () => {
    const only = new ControlledUpload();
    const fanOut = fanOutOf({ only });
    const writing = fanOut.write(block);
    await vi.advanceTimersByTimeAsync(100 * limits.stallMs);
    only.succeed();
    await writing;
    expect(fanOut.failures.size).toBe(0);
  });

  it('drops a chronic laggard once its patience is over, and not before', async () => {
    const [fast, slow] = [new ControlledUpload().answerAtOnce(), new ControlledUpload()];
    const fanOut = fanOutOf({ fast, slow });
    const lagMs = limits.stallMs - 1;
    const writeSlowly = async (): Promise<void> => {
      const writing = fanOut.write(block);
      await vi.advanceTimersByTimeAsync(lagMs);
      slow.succeed();
      await writing;
    };
    const rounds = Math.ceil(limits.patienceMs / lagMs);
    for (let round = 1; round < rounds; round += 1) await writeSlowly();
    expect(fanOut.failures.size).toBe(0);
    await writeSlowly();
    expect(fanOut.failures).toEqual(new Map([['slow', wardenError('repository-too-slow', 'made the others wait')]]));
    expect(slow.isAborted).toBe(true);
  });

  it('keeps one that lags for less than half of the time, however long the run', async () => {
    const [fast, slow] = [new ControlledUpload().answerAtOnce(), new ControlledUpload()];
    const fanOut = fanOutOf({ fast, slow });
    for (let round = 0; round < 100; round += 1) {
      await vi.advanceTimersByTimeAsync(11_000);
      const writing = fanOut.write(block);
      await vi.advanceTimersByTimeAsync(10_000);
      slow.succeed();
      await writing;
    }
    expect(fanOut.failures.size).toBe(0);
  });

  it('rejects once the last one is dropped, with the reason of each', async () => {
    const [a, b] = [new ControlledUpload(), new ControlledUpload()];
    const fanOut = fanOutOf({ a, b });
    const writing = fanOut.write(block);
    a.fail(new WardenError('store-full', 'no room'));
    b.fail(new WardenError('store-access-denied', 'may not'));
    await expect(writing).rejects.toEqual(wardenError('no-backup-stored', 'a: no room', 'b: may not'));
    await expect(fanOut.write(block)).rejects.toMatchObject({
      details: { repositories: ['a', 'b'], codes: ['store-full', 'store-access-denied'] },
    });
  });

  it('gives the hint of the only failure where there is one repository', async () => {
    const only = new ControlledUpload();
    const writing = fanOutOf({ only }).write(block);
    const reason = new WardenError('store-full', 'no room');
    only.fail(reason);
    await expect(writing).rejects.toMatchObject({ code: 'no-backup-stored', hint: reason.hint, cause: reason });
  });

  it('aborts whatever is left when it is disposed, and waits for aborts under way', async () => {
    const [good, bad] = [new ControlledUpload().answerAtOnce(), new ControlledUpload()];
    const aborting = Promise.withResolvers<void>();
    bad[Symbol.asyncDispose] = () => aborting.promise;
    const fanOut = fanOutOf({ good, bad });
    const writing = fanOut.write(block);
    bad.fail(new WardenError('store-failed', 'gone'));
    await writing;
    const released = vi.fn<() => void>();
    const disposing = fanOut[Symbol.asyncDispose]().then(released);
    await vi.advanceTimersByTimeAsync(1);
    expect([good.isAborted, released.mock.calls.length]).toEqual([true, 0]);
    aborting.resolve();
    await disposing;
    expect(released).toHaveBeenCalledOnce();
  });

  it('aborts an upload once, also where a write to it is under way', async () => {
    const upload = new ControlledUpload();
    const aborting = vi.spyOn(upload, Symbol.asyncDispose);
    const fanOut = fanOutOf({ upload });
    const writing = fanOut.write(block);
    const released = fanOut[Symbol.asyncDispose]();
    upload.fail(new WardenError('interrupted', 'given up'));
    await expect(writing).rejects.toEqual(wardenError('no-backup-stored'));
    await released;
    expect(aborting).toHaveBeenCalledOnce();
  });

  it('survives an abort that fails, and a laggard that fails after it was dropped', async () => {
    const [fast, stalled] = [new ControlledUpload().answerAtOnce(), new ControlledUpload()];
    stalled[Symbol.asyncDispose] = () => Promise.reject(new Error('the store is gone'));
    const fanOut = fanOutOf({ fast, stalled });
    const writing = fanOut.write(block);
    await vi.advanceTimersByTimeAsync(limits.stallMs);
    await writing;
    stalled.fail(new WardenError('store-timeout', 'too late'));
    await vi.advanceTimersByTimeAsync(1);
    expect(fanOut.failures.get('stalled')).toEqual(wardenError('repository-too-slow'));
    await fanOut[Symbol.asyncDispose]();
  });

  describe('at the end', () => {
    it('publishes in each repository as soon as it is complete, without waiting for a slower one', async () => {
      const [fast, slow] = [new ControlledUpload().answerAtOnce(), new ControlledUpload()];
      const published: string[] = [];
      const finishing = fanOutOf({ fast, slow }).finish(async ({ name }) => void published.push(name), signal);
      await vi.advanceTimersByTimeAsync(1);
      expect(published).toEqual(['fast']);
      slow.succeed();
      expect(await finishing).toEqual(['fast', 'slow']);
    });

    it('publishes nothing where the upload could not be completed', async () => {
      const [good, bad] = [new ControlledUpload().answerAtOnce(), new ControlledUpload()];
      const published: string[] = [];
      const fanOut = fanOutOf({ good, bad });
      const finishing = fanOut.finish(async ({ name }) => void published.push(name), signal);
      bad.fail(new WardenError('store-object-exists', 'taken'));
      expect([await finishing, published]).toEqual([['good'], ['good']]);
      expect(fanOut.failures).toEqual(new Map([['bad', wardenError('store-object-exists')]]));
    });

    it('leaves out a repository that never completes, and one that never aborts', async () => {
      const [good, hung] = [new ControlledUpload().answerAtOnce(), new ControlledUpload()];
      hung.hangsOnAbort = true;
      const fanOut = fanOutOf({ good, hung });
      const finishing = fanOut.finish(async () => undefined, signal);
      await vi.advanceTimersByTimeAsync(15 * 60_000);
      expect(await finishing).toEqual(['good']);
      expect(fanOut.failures).toEqual(new Map([['hung', wardenError('repository-too-slow', 'in time')]]));
      const released = fanOut[Symbol.asyncDispose]();
      await vi.advanceTimersByTimeAsync(20_000);
      await released;
    });

    it('stops waiting when the run is interrupted', async () => {
      const stop = new AbortController();
      const finishing = fanOutOf({ hung: new ControlledUpload() }).finish(async () => undefined, stop.signal);
      stop.abort(new WardenError('interrupted', 'ended by SIGTERM'));
      await expect(finishing).rejects.toEqual(wardenError('interrupted', 'SIGTERM'));
      await vi.advanceTimersByTimeAsync(20_000);
    });

    it('waits at its release for what it was publishing when it was interrupted', async () => {
      const stop = new AbortController();
      const { promise: clearedAway, resolve: clearAway } = Promise.withResolvers<void>();
      const fanOut = fanOutOf({ only: new ControlledUpload().answerAtOnce() });
      const finishing = fanOut.finish(() => clearedAway, stop.signal);
      await vi.advanceTimersByTimeAsync(1);
      stop.abort(new WardenError('interrupted', 'ended by SIGTERM'));
      await expect(finishing).rejects.toEqual(wardenError('interrupted', 'SIGTERM'));
      const released = vi.fn<() => void>();
      const releasing = fanOut[Symbol.asyncDispose]().then(released);
      await vi.advanceTimersByTimeAsync(1);
      expect(released).not.toHaveBeenCalled();
      clearAway();
      await releasing;
    });

    it('rejects where nothing could be published', async () => {
      const only = new ControlledUpload().answerAtOnce();
      const finishing = fanOutOf({ only }).finish(
        () => Promise.reject(new WardenError('store-timeout', 'too late')),
        signal,
      );
      await expect(finishing).rejects.toEqual(wardenError('no-backup-stored', 'only: too late'));
    });
  });
});
