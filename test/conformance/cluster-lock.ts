import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClusterLock, HeldLock } from '../../src/ports/lock.ts';
import { wardenError } from '../support/errors.ts';

export interface ClusterLockSubject extends AsyncDisposable {
  /** One lock, as two processes have it. */
  readonly one: ClusterLock;
  readonly other: ClusterLock;
  /** What somebody does who knows nothing of us. */
  deleteKey(): Promise<void>;
}

/** What every implementation of the port holds to, on a healthy cluster. Each test leaves the lock free. */
export function describeClusterLockConformance(name: string, makeSubject: () => Promise<ClusterLockSubject>): void {
  describe(`cluster lock port: ${name}`, () => {
    const { signal } = new AbortController();
    let subject: ClusterLockSubject;

    beforeAll(async () => {
      subject = await makeSubject();
    });
    afterAll(() => subject[Symbol.asyncDispose]());

    async function take(lock: ClusterLock, holder: string): Promise<HeldLock> {
      const outcome = await lock.acquire(holder, signal);
      if (outcome.kind !== 'held') throw new Error(`the lock is not held but ${JSON.stringify(outcome)}`);
      return outcome.lock;
    }

    test('is held by one, and the next is told by whom and since when', async () => {
      const before = Date.now();
      await using held = await take(subject.one, 'host-a, process 7, backup');
      const outcome = await subject.other.acquire('host-b', signal);
      expect(outcome).toMatchObject({ kind: 'busy', holder: 'host-a, process 7, backup' });
      const since = outcome.kind === 'busy' ? outcome.since?.getTime() : undefined;
      expect(since).toBeGreaterThanOrEqual(before);
      expect(since).toBeLessThanOrEqual(Date.now());
      await held.confirm(signal);
      expect(held.lost.aborted).toBe(false);
    });

    test('is free as soon as it was given back', async () => {
      const first = await take(subject.one, 'first');
      await first[Symbol.asyncDispose]();
      await using second = await take(subject.other, 'second');
      await expect(second.confirm(signal)).resolves.toBeUndefined();
    });

    test('of ten who ask at once one gets it, and the others are told who', async () => {
      const names = Array.from({ length: 10 }, (_, index) => `run ${index}`);
      const outcomes = await Promise.all(names.map((holder) => subject.one.acquire(holder, signal)));
      const winners = outcomes.flatMap((outcome, index) => (outcome.kind === 'held' ? [{ outcome, index }] : []));
      await using _ = winners[0]?.outcome.lock;
      expect(winners).toHaveLength(1);
      const others = outcomes.filter(({ kind }) => kind !== 'held');
      for (const loser of others) expect(loser).toMatchObject({ kind: 'busy', holder: `run ${winners[0]?.index}` });
    });

    test('is lost when somebody deletes it, and the loser does not take it from the next holder', async () => {
      const loser = await take(subject.one, 'loser');
      await subject.deleteKey();
      await using next = await take(subject.other, 'next');
      await expect(loser.confirm(signal)).rejects.toEqual(wardenError('lock-lost'));
      expect(loser.lost.aborted).toBe(true);
      expect(loser.lost.reason).toEqual(wardenError('lock-lost'));
      await loser[Symbol.asyncDispose]();
      await next.confirm(signal);
      expect(await subject.one.acquire('third', signal)).toMatchObject({ kind: 'busy', holder: 'next' });
    });

    test('can be given back twice, is not held then, and was not lost', async () => {
      const held = await take(subject.one, 'one');
      await held[Symbol.asyncDispose]();
      await held[Symbol.asyncDispose]();
      await expect(held.confirm(signal)).rejects.toEqual(wardenError('lock-lost', 'given back'));
      expect(held.lost.aborted).toBe(false);
    });

    test('an aborted signal rejects as interrupted, and takes nothing', async () => {
      const aborted = AbortSignal.abort();
      await expect(subject.one.acquire('one', aborted)).rejects.toEqual(wardenError('interrupted'));
      await using held = await take(subject.one, 'one');
      await expect(held.confirm(aborted)).rejects.toEqual(wardenError('interrupted'));
      await held.confirm(signal);
    });
  });
}
