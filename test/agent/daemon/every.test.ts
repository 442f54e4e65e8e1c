import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Every } from '../../../src/agent/daemon/every.ts';
import { fakedClock, startTheClock, stopTheClock } from '../../support/pass-time.ts';

vi.mock('node:timers/promises', () => import('../../support/fake-delay.ts'));

const start = new Date('2026-11-25T12:00:00Z');

describe('Work that is done again and again', () => {
  let begunAtMs: number[];
  let intervalMs: number;

  beforeEach(() => {
    stopTheClock(start);
    begunAtMs = [];
    intervalMs = 10_000;
  });
  afterEach(startTheClock);

  const begin = (work: (signal: AbortSignal) => Promise<void> = async () => undefined): Every =>
    new Every({ clock: fakedClock, intervalMs: () => intervalMs, limitMs: 5000 }, (signal) => {
      begunAtMs.push(Date.now() - start.getTime());
      return work(signal);
    });
  const takes = (durationMs: number) => (): Promise<void> => new Promise((done) => setTimeout(done, durationMs));

  it('is done at once, and begins again so long after it ended', async () => {
    await using _ = begin(takes(3000));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(begunAtMs).toEqual([0, 13_000, 26_000]);
  });

  it('goes by the interval as it is when the work ends', async () => {
    await using _ = begin();
    await vi.advanceTimersByTimeAsync(5000);
    intervalMs = 1000;
    await vi.advanceTimersByTimeAsync(7000);
    expect(begunAtMs).toEqual([0, 10_000, 11_000, 12_000]);
  });

  it('begins again at once where somebody asks while it rests', async () => {
    await using every = begin();
    await vi.advanceTimersByTimeAsync(4000);
    every.again();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(begunAtMs).toEqual([0, 4000, 14_000]);
  });

  it('begins again right after its end where somebody asks in the middle of it, once however often', async () => {
    await using every = begin(takes(3000));
    await vi.advanceTimersByTimeAsync(1000);
    every.again();
    every.again();
    await vi.advanceTimersByTimeAsync(11_000);
    expect(begunAtMs).toEqual([0, 3000]);
  });

  it('is late once the work outlives its limit, or the rest its interval', async () => {
    let end = (): void => undefined;
    await using every = begin(() => new Promise((done) => (end = done)));
    await vi.advanceTimersByTimeAsync(5000);
    expect(every.msLate).toBe(0);
    await vi.advanceTimersByTimeAsync(3000);
    expect(every.msLate).toBe(3000);
    end();
    await vi.advanceTimersByTimeAsync(0);
    expect(every.msLate).toBe(-10_000);
    // The timer of its rest never comes.
    vi.setSystemTime(Date.now() + 12_000);
    expect(every.msLate).toBe(2000);
    end();
  });

  it('is waited for at disposal, is told to end, and does not begin again', async () => {
    let isTold = false;
    let hasEnded = false;
    const every = begin(async (signal) => {
      signal.addEventListener('abort', () => (isTold = true));
      await takes(3000)();
      hasEnded = true;
    });
    await vi.advanceTimersByTimeAsync(1000);
    const disposed = every[Symbol.asyncDispose]().then(() => hasEnded);
    expect([isTold, hasEnded]).toEqual([true, false]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await disposed).toBe(true);
    expect(await every.ended).toBeUndefined();
    expect(begunAtMs).toEqual([0]);
  });

  it('does not outlast disposal while it rests', async () => {
    const every = begin();
    await vi.advanceTimersByTimeAsync(1000);
    await every[Symbol.asyncDispose]();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(begunAtMs).toEqual([0]);
  });

  it('ends with the first rejection, and tells it', async () => {
    const every = begin(() => Promise.reject(new Error('a defect')));
    await expect(every.ended).rejects.toThrow('a defect');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(begunAtMs).toEqual([0]);
    await every[Symbol.asyncDispose]();
  });
});
