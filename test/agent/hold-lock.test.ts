import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ConfirmLock, withClusterLock } from '../../src/agent/hold-lock.ts';
import { WardenError } from '../../src/errors/warden-error.ts';
import { wardenError } from '../support/errors.ts';
import { createMemoryLock, type MemoryLock } from '../support/memory-lock.ts';
import { recordingLog } from '../jobs/repositories.ts';

const go = new AbortController().signal;
const options = { holder: 'backup on b', waitMs: 60_000 };

describe('Working under the lock of the cluster', () => {
  let lock: MemoryLock;
  let log: ReturnType<typeof recordingLog>;
  let stages: string[];

  beforeEach(() => {
    vi.useFakeTimers();
    lock = createMemoryLock();
    log = recordingLog();
    stages = [];
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  const run = <T>(work: (confirmLock: ConfirmLock) => Promise<T>, signal = go): Promise<T> =>
    withClusterLock(
      {
        lock,
        clock: { monotonicMs: () => Date.now() },
        log,
        progress: (event) => void (event.kind === 'stage' && stages.push(event.text)),
      },
      options,
      signal,
      work,
    );

  it('holds it while the work is done, and gives it back however that ends', async () => {
    expect(await run(async () => lock.holder)).toBe('backup on b');
    expect(lock.holder).toBeUndefined();
    await expect(run(() => Promise.reject(new Error('the work failed')))).rejects.toThrow('the work failed');
    expect(lock.holder).toBeUndefined();
  });

  it('waits for whoever holds it, says so, and begins when it is free', async () => {
    lock.takeAway('defrag on a');
    const done = run(async () => 'done');
    await vi.advanceTimersByTimeAsync(30_000);
    expect(stages.at(-1)).toBe('waiting for defrag on a');
    lock.takeAway(undefined);
    await vi.advanceTimersByTimeAsync(2000);
    expect(await done).toBe('done');
  });

  it('gives up in time, and names the holder', async () => {
    lock.takeAway('defrag on a');
    const outcome = run(async () => 'done').catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(62_000);
    expect(await outcome).toEqual(wardenError('busy', 'defrag on a'));
  });

  it('stops waiting when the run is stopped', async () => {
    lock.takeAway('defrag on a');
    const stop = new AbortController();
    const outcome = run(async () => 'done', stop.signal).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1000);
    const told = new Error('told to stop');
    stop.abort(told);
    await vi.advanceTimersByTimeAsync(0);
    expect(await outcome).toBe(told);
  });

  it('goes on without it where none can be had, and says so', async () => {
    lock.failWith('no quorum');
    expect(await run(async () => 'done')).toBe('done');
    expect(log.lines).toEqual(['warn going on without the lock']);
  });

  it('does without it where coordination is turned off', async () => {
    lock.takeAway('defrag on a');
    expect(
      await withClusterLock(
        { lock: undefined, clock: { monotonicMs: () => 0 }, log, progress: () => undefined },
        options,
        go,
        async () => 'done',
      ),
    ).toBe('done');
  });

  describe('that is lost', () => {
    /** Work that loses the lock in its first attempt, or in every one, and then asks for it. */
    function loseIt(lose: () => void, attempts = 1): (confirmLock: ConfirmLock) => Promise<string> {
      let attempt = 0;
      return async (confirmLock) => {
        attempt += 1;
        await confirmLock(go);
        if (attempt <= attempts) lose();
        await confirmLock(go);
        return `attempt ${attempt}, held by ${lock.holder}`;
      };
    }

    it('begins anew under another one, and says so', async () => {
      expect(await run(loseIt(() => lock.takeAway(), 2))).toBe('attempt 3, held by backup on b');
      expect(log.lines).toEqual(Array(2).fill('warn the lock was lost, so the work begins anew'));
      expect(lock.holder).toBeUndefined();
    });

    it('ends in that error where it is lost again and again', async () => {
      const outcome = await run(loseIt(() => lock.takeAway(), 9)).catch((error: unknown) => error);
      expect(outcome).toMatchObject({ code: 'lock-lost' });
    });

    it('waits for whoever took it', async () => {
      const done = run(loseIt(() => lock.takeAway('defrag on a')));
      await vi.advanceTimersByTimeAsync(10_000);
      expect(stages.at(-1)).toBe('waiting for defrag on a');
      lock.takeAway();
      await vi.advanceTimersByTimeAsync(2000);
      expect(await done).toBe('attempt 2, held by backup on b');
    });

    it('goes on without it where none can be had any more', async () => {
      let attempts = 0;
      const outcome = run(async (confirmLock) => {
        attempts += 1;
        lock.failWith('no quorum');
        await confirmLock(go);
        return 'done';
      });
      expect([await outcome, attempts]).toEqual(['done', 2]);
      expect(log.lines).toEqual(['warn the lock was lost, so the work begins anew', 'warn going on without the lock']);
    });

    it('is no reason to begin anew for a run that is stopped', async () => {
      const stop = new AbortController();
      let attempts = 0;
      const outcome = run(async (confirmLock) => {
        attempts += 1;
        lock.takeAway();
        stop.abort(new Error('told to stop'));
        await confirmLock(go);
      }, stop.signal);
      await expect(outcome).rejects.toEqual(wardenError('lock-lost'));
      expect([attempts, log.lines]).toEqual([1, []]);
    });

    it('is no reason to begin anew where the work failed for another', async () => {
      let attempts = 0;
      const outcome = run(async () => {
        attempts += 1;
        lock.takeAway();
        throw new WardenError('store-full', 'no room');
      });
      await expect(outcome).rejects.toEqual(wardenError('store-full'));
      expect(attempts).toBe(1);
    });
  });
});
