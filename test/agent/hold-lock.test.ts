import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withClusterLock } from '../../src/agent/hold-lock.ts';
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

  const run = <T>(work: () => Promise<T>, signal = go, locks: MemoryLock | undefined = lock): Promise<T> =>
    withClusterLock(
      {
        lock: locks,
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
});
