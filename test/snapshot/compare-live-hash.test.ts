import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HashKvAnswer } from '../../src/ports/etcd.ts';
import { compareLiveHash, isOutvoted, type LiveHash } from '../../src/snapshot/compare-live-hash.ts';
import { hashAnswer, refuses, surveyedMember } from '../support/scripted-etcd.ts';

vi.mock('node:timers/promises', () => import('../support/fake-delay.ts'));

const go = new AbortController().signal;
const snapshot = { hash: 0x1234, revision: 8n, compactRevision: 3n };

async function compareWith(answer: HashKvAnswer | Error, own = snapshot): Promise<LiveHash | undefined> {
  const hashKv = (): Promise<HashKvAnswer> =>
    answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  const [live] = await compareLiveHash([surveyedMember({ hashKv })], own, go);
  return live;
}

describe('comparing with a live member', () => {
  it('finds the same hash at the same revision and compaction equal', async () => {
    expect(await compareWith(hashAnswer())).toEqual({
      member: 'm1',
      version: '3.6.16',
      result: 'equal',
      hash: 0x1234,
      compactRevision: 3n,
      reason: undefined,
    });
  });

  it('finds another hash there different', async () => {
    expect(await compareWith(hashAnswer({ hash: 1 }))).toMatchObject({ result: 'differs', hash: 1 });
  });

  it('takes the word of a member before 3.6, which does not say at which revision it hashed', async () => {
    expect(await compareWith(hashAnswer({ hashRevision: undefined }))).toMatchObject({ result: 'equal' });
  });

  // field: F026
  it('compares nothing where the compaction is another', async () => {
    expect(await compareWith(hashAnswer({ hash: 1, compactRevision: 5n }))).toMatchObject({
      result: 'not-comparable',
      reason: 'compacted at 5, the snapshot at 3',
    });
  });

  it.each([
    ['equal', 0x5678],
    ['differs', 0x1234],
  ])('reckons with a compaction that came after the snapshot: %s', async (result, hash) => {
    const later = { ...snapshot, hashKvAt: (at: bigint) => (at === 5n ? 0x5678 : undefined) };
    expect(await compareWith(hashAnswer({ hash, compactRevision: 5n }), later)).toMatchObject({ result, hash });
    expect(await compareWith(hashAnswer({ hash, compactRevision: 6n }), later)).toMatchObject({
      result: 'not-comparable',
      reason: 'compacted at 6, the snapshot at 3',
    });
  });

  it('compares nothing where another revision was hashed', async () => {
    expect(await compareWith(hashAnswer({ hash: 1, hashRevision: 9n }))).toMatchObject({
      result: 'not-comparable',
      reason: 'hashed revision 9, the snapshot is at 8',
    });
  });

  // field: F025
  // field: F028
  it('compares nothing at exactly the compact revision, where versions and caches answer differently', async () => {
    const atCompaction = { hash: 0x1234, revision: 8n, compactRevision: 8n };
    expect(await compareWith(hashAnswer({ hash: 1, compactRevision: 8n }), atCompaction)).toMatchObject({
      result: 'not-comparable',
      reason: 'the snapshot is at its compact revision',
    });
  });

  // field: F025
  it('compares nothing where the revision was compacted meanwhile', async () => {
    expect(await compareWith(refuses('etcd-compacted', 'required revision has been compacted'))).toMatchObject({
      result: 'not-comparable',
      hash: undefined,
      reason: 'required revision has been compacted',
    });
  });

  it('calls a member that fails unreachable', async () => {
    expect(await compareWith(refuses('etcd-deadline', 'no answer'))).toMatchObject({
      result: 'unreachable',
      reason: 'no answer',
    });
  });

  it('never says that a member differs unless revision and compaction are the same', async () => {
    const small = fc.bigInt({ min: 0n, max: 3n });
    await fc.assert(
      fc.asyncProperty(small, small, small, small, async (revision, compactRevision, hashRevision, theirCompaction) => {
        const live = await compareWith(hashAnswer({ hash: 1, hashRevision, compactRevision: theirCompaction }), {
          hash: 2,
          revision,
          compactRevision,
        });
        const isComparable =
          hashRevision === revision && theirCompaction === compactRevision && revision !== compactRevision;
        expect(live?.result).toBe(isComparable ? 'differs' : 'not-comparable');
      }),
    );
  });

  // field: F033
  it('asks for the hash at the revision of the snapshot, whatever was written since', async () => {
    const hashKv = vi.fn<(...asked: unknown[]) => Promise<HashKvAnswer>>(async () => hashAnswer());
    await compareLiveHash([surveyedMember({ hashKv })], snapshot, go);
    expect(hashKv.mock.calls).toEqual([[8n, go]]);
  });

  it('asks neither learners nor members that did not answer before', async () => {
    const hashKv = vi.fn<(...asked: unknown[]) => Promise<HashKvAnswer>>(async () => hashAnswer());
    const members = [
      surveyedMember({ hashKv, isLearner: true }),
      surveyedMember({ hashKv, status: refuses('etcd-unreachable') }),
    ];
    expect(await compareLiveHash(members, snapshot, go)).toEqual([]);
    expect(hashKv).not.toHaveBeenCalled();
  });

  it('stops when it is interrupted', async () => {
    const stop = new AbortController();
    const hashKv = async (): Promise<HashKvAnswer> => {
      stop.abort(refuses('interrupted'));
      throw refuses('etcd-deadline');
    };
    await expect(compareLiveHash([surveyedMember({ hashKv })], snapshot, stop.signal)).rejects.toMatchObject({
      code: 'interrupted',
    });
  });
});

describe('a follower that has not applied the revision yet', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('is asked again a moment later', async () => {
    const hashKv = vi
      .fn<(...asked: unknown[]) => Promise<HashKvAnswer>>(async () => hashAnswer())
      .mockRejectedValueOnce(refuses('etcd-future-revision'));
    const comparing = compareLiveHash([surveyedMember({ hashKv })], snapshot, go);
    await vi.advanceTimersByTimeAsync(200);
    expect(await comparing).toMatchObject([{ result: 'equal' }]);
    expect(hashKv).toHaveBeenCalledTimes(2);
  });

  it('is given up after two seconds', async () => {
    const hashKv = vi.fn<() => Promise<HashKvAnswer>>(() => Promise.reject(refuses('etcd-future-revision')));
    const comparing = compareLiveHash([surveyedMember({ hashKv })], snapshot, go);
    await vi.advanceTimersByTimeAsync(2000);
    expect(await comparing).toMatchObject([{ result: 'unreachable' }]);
    expect(hashKv).toHaveBeenCalledTimes(10);
  });
});

describe('a vote about the hash of a snapshot', () => {
  const answer = (member: string, result: LiveHash['result'], hash: number | undefined): LiveHash => ({
    member,
    version: '3.6.16',
    result,
    hash,
    compactRevision: 3n,
    reason: undefined,
  });
  const own = (member: string): LiveHash => answer(member, 'equal', snapshot.hash);
  const other = (member: string, hash = 1): LiveHash => answer(member, 'differs', hash);

  it.each<[string, LiveHash[], boolean]>([
    ['nobody answers', [], false],
    ['all agree', [own('a'), own('b'), own('c')], false],
    ['one other differs', [own('a'), own('b'), other('c')], false],
    ['one of two differs: a tie accuses nobody', [own('a'), other('b')], false],
    ['the others agree with each other', [own('a'), other('b'), other('c')], true],
    ['the others differ from each other too', [own('a'), other('b', 1), other('c', 2)], false],
    ['three of five agree on another', [own('a'), own('b'), other('c'), other('d'), other('e')], true],
    ['the member itself now says otherwise', [other('a')], true],
    ['the member is gone and one other differs', [answer('a', 'unreachable', undefined), other('b')], false],
    ['the member is gone and two others agree', [answer('a', 'unreachable', undefined), other('b'), other('c')], true],
    [
      'those that are not comparable agree',
      [own('a'), answer('b', 'not-comparable', 1), answer('c', 'not-comparable', 1)],
      false,
    ],
  ])('where %s', (_, answers, outvoted) => {
    expect(isOutvoted(answers, 'a')).toBe(outvoted);
  });
});
