import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runLimitMs, withinRunLimit } from '../../src/agent/run-limit.ts';
import { wardenError } from '../support/errors.ts';

const go = new AbortController().signal;

describe('The limit of a run', () => {
  it.each([
    [60_000, 24],
    [12 * 3_600_000, 48],
  ])('for a stream of %i ms is %i h', (ms, hours) => {
    expect(runLimitMs({ snapshot: { maxStreamHold: { ms } } })).toBe(hours * 3_600_000);
  });

  it('ends work that takes longer', async () => {
    const endless = withinRunLimit(10, go, async (signal) => {
      await sleep(60_000, undefined, { signal }).catch(() => undefined);
      throw signal.reason;
    });
    await expect(endless).rejects.toEqual(wardenError('run-too-long'));
  });

  it('lets work end before, and hears what interrupts it', async () => {
    expect(await withinRunLimit(60_000, go, async () => 'done')).toBe('done');
    const stopped = AbortSignal.abort(new Error('told to stop'));
    await expect(withinRunLimit(60_000, stopped, async (signal) => signal.throwIfAborted())).rejects.toThrow(
      'told to stop',
    );
  });
});
