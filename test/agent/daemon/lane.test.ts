import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { Lane, type Order } from '../../../src/agent/daemon/lane.ts';

interface BegunWork {
  readonly order: Order;
  readonly signal: AbortSignal;
  readonly end: () => void;
  readonly fail: (reason: Error) => void;
}

const orderFor = (job: Order['job'], time = '12:00'): Order => ({
  job,
  occurrence: new Date(`2026-11-25T${time}:00Z`),
  isShownAgain: false,
  attempt: 0,
});

describe('A lane', () => {
  let lane: Lane;
  let begun: BegunWork[];

  beforeEach(() => {
    begun = [];
    lane = new Lane(['backup', 'defrag', 'prune'], (order, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      begun.push({ order, signal, end: resolve, fail: reject });
      return promise;
    });
  });

  const jobsBegun = (): string[] => begun.map(({ order }) => order.job);
  const newest = (): BegunWork => begun.at(-1) ?? expect.fail('nothing was begun');
  async function request(...orders: readonly Order[]): Promise<boolean[]> {
    const taken = orders.map((order) => lane.request(order));
    await nextTurn();
    return taken;
  }
  async function endNewest(): Promise<void> {
    newest().end();
    await nextTurn();
  }

  it('carries out one order at a time, those of the job that is named first before the others', async () => {
    expect(await request(orderFor('prune'), orderFor('defrag'), orderFor('backup'))).toEqual([true, true, true]);
    expect(jobsBegun()).toEqual(['prune']);
    await endNewest();
    expect(jobsBegun()).toEqual(['prune', 'backup']);
    await endNewest();
    expect(jobsBegun()).toEqual(['prune', 'backup', 'defrag']);
    await endNewest();
    expect([begun.length, lane.running]).toEqual([3, undefined]);
  });

  it('says what runs before anything of it happens', async () => {
    const order = orderFor('backup');
    lane.request(order);
    expect([lane.running, begun]).toEqual([order, []]);
  });

  it('keeps of the orders for a job that waits the last one', async () => {
    await request(orderFor('backup'), orderFor('defrag', '12:01'), orderFor('defrag', '12:02'));
    await endNewest();
    expect(newest().order).toEqual(orderFor('defrag', '12:02'));
    await endNewest();
    expect(begun).toHaveLength(2);
  });

  it('refuses an order for the job that runs, and takes the next one after it', async () => {
    await request(orderFor('backup'));
    expect(await request(orderFor('backup', '12:01'))).toEqual([false]);
    await endNewest();
    expect(begun).toHaveLength(1);
    expect(await request(orderFor('backup', '12:02'))).toEqual([true]);
    expect(newest().order).toEqual(orderFor('backup', '12:02'));
  });

  it('ends with work that rejects, and says why', async () => {
    await request(orderFor('backup'), orderFor('defrag'));
    newest().fail(new Error('a defect'));
    await expect(lane.failed).rejects.toThrow('a defect');
    expect(await request(orderFor('prune'))).toEqual([false]);
    expect([jobsBegun(), lane.running]).toEqual([['backup'], undefined]);
  });

  it('tells what runs why it is ended, waits for it, and begins nothing more', async () => {
    await request(orderFor('backup'), orderFor('defrag'));
    const reason = new Error('told to stop');
    let hasEnded = false;
    const ended = lane.end(reason).then(() => (hasEnded = true));
    await nextTurn();
    expect([newest().signal.reason, hasEnded]).toEqual([reason, false]);
    newest().end();
    await ended;
    expect(await request(orderFor('prune'))).toEqual([false]);
    expect(jobsBegun()).toEqual(['backup']);
  });

  it('is ended by disposal as well, at once where nothing runs', async () => {
    await lane[Symbol.asyncDispose]();
    expect(lane.request(orderFor('backup'))).toBe(false);
  });
});
