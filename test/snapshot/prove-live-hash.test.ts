import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HashKvAnswer } from '../../src/ports/etcd.ts';
import { proveLiveHash, recheckDelayMs } from '../../src/snapshot/prove-live-hash.ts';
import { wardenError } from '../support/errors.ts';
import { sampleInspection } from '../support/sample-backup.ts';
import { hashAnswer, refuses, surveyedMember } from '../support/scripted-etcd.ts';

vi.mock('node:timers/promises', () => import('../support/fake-delay.ts'));

const inspection = sampleInspection();
const [same, other] = [hashAnswer(), hashAnswer({ hash: 0xbad })];

/** Members m1, m2, … that give these answers, one a round; the last one again and again. */
function membersAnswering(...rounds: readonly (readonly HashKvAnswer[])[]) {
  const [first = []] = rounds;
  return first.map((_, index) => {
    let round = 0;
    const hashKv = async (): Promise<HashKvAnswer> => {
      const answers = rounds[Math.min(round, rounds.length - 1)] ?? [];
      round += 1;
      return answers[index] ?? same;
    };
    return surveyedMember({ hashKv }, index);
  });
}

describe('proving a snapshot by the live members', () => {
  let stop: AbortController;
  const prove = (members: ReturnType<typeof membersAnswering>) => proveLiveHash(members, inspection, 'm1', stop.signal);

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    stop = new AbortController();
  });

  afterEach(() => {
    const timersLeft = vi.getTimerCount();
    vi.useRealTimers();
    if (timersLeft > 0) throw new Error(`${timersLeft} timers were left`);
  });

  it('asks once and waits for nothing where all agree', async () => {
    expect(await prove(membersAnswering([same, same, same]))).toMatchObject([
      { member: 'm1', result: 'equal' },
      { member: 'm2', result: 'equal' },
      { member: 'm3', result: 'equal' },
    ]);
  });

  // field: F026
  it('believes no difference that is gone a minute later', async () => {
    const proving = prove(membersAnswering([same, other, other], [same, same, same]));
    await vi.advanceTimersByTimeAsync(recheckDelayMs);
    expect((await proving).map(({ result }) => result)).toEqual(['equal', 'equal', 'equal']);
  });

  // field: F026
  it('makes nothing of members at another compaction, and does not wait for them', async () => {
    const compactedEarlier = hashAnswer({ hash: 2, compactRevision: 1n });
    const answers = await prove(membersAnswering([same, compactedEarlier, same]));
    expect(answers.map(({ result }) => result)).toEqual(['equal', 'not-comparable', 'equal']);
  });

  it('rejects a snapshot that is outvoted in both rounds, with members, versions and hashes', async () => {
    const outcome = prove(membersAnswering([same, other, other])).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(recheckDelayMs);
    expect(await outcome).toEqual(
      wardenError(
        'snapshot-hash-differs',
        'revision 8',
        'the snapshot of m1',
        '1234',
        'm2 (3.6.16): bad',
        'm3 (3.6.16): bad',
      ),
    );
  });

  it('takes a minute to say so', async () => {
    const settled = vi.fn<() => void>();
    const proving = prove(membersAnswering([same, other, other])).catch(settled);
    await vi.advanceTimersByTimeAsync(recheckDelayMs - 1);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await proving;
    expect(settled).toHaveBeenCalledOnce();
  });

  it('notes a lasting difference of another member without rejecting the snapshot', async () => {
    const proving = prove(membersAnswering([same, same, other]));
    await vi.advanceTimersByTimeAsync(recheckDelayMs);
    expect((await proving).map(({ result }) => result)).toEqual(['equal', 'equal', 'differs']);
  });

  it('does not reject where the second round can compare no longer', async () => {
    const compactedSince = hashAnswer({ hash: 5, compactRevision: 7n });
    const proving = prove(membersAnswering([same, other, other], [compactedSince, compactedSince, compactedSince]));
    await vi.advanceTimersByTimeAsync(recheckDelayMs);
    expect((await proving).map(({ result }) => result)).toEqual(['not-comparable', 'not-comparable', 'not-comparable']);
  });

  it('stops waiting when it is interrupted', async () => {
    const outcome = prove(membersAnswering([same, other, other])).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(recheckDelayMs / 2);
    stop.abort(refuses('interrupted'));
    expect(await outcome).toMatchObject({ name: 'AbortError' });
  });

  it('asks nobody where the snapshot has no hash of its own', async () => {
    const hashKv = vi.fn<() => Promise<HashKvAnswer>>(async () => same);
    expect(
      await proveLiveHash([surveyedMember({ hashKv })], sampleInspection({ kvHash: undefined }), 'm1', stop.signal),
    ).toEqual([]);
    expect(hashKv).not.toHaveBeenCalled();
  });
});
