import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Etcd } from '../../src/ports/etcd.ts';
import { surveyMembers } from '../../src/snapshot/survey-members.ts';
import { healthyRevision, type MemberScript, scriptedEtcd } from '../support/scripted-etcd.ts';

vi.mock('node:timers/promises', () => import('../support/fake-delay.ts'));

const current = healthyRevision + 5n;

/** A cluster under writes: its members answer the read at `current`, and statuses one after the other, the last one for ever. */
function membersWithRevisions(revisions: readonly bigint[], script: MemberScript = {}) {
  const inner = scriptedEtcd([{ ...script, readRevision: current }]);
  let asked = 0;
  const etcd: Etcd = {
    ...inner,
    connect: (member) => {
      const client = inner.connect(member);
      const status: typeof client.status = async (signal) => {
        const revision = revisions[Math.min(asked, revisions.length - 1)] ?? current;
        asked += 1;
        return { ...(await client.status(signal)), revision };
      };
      return { ...client, status };
    },
  };
  return { etcd, asked: () => asked };
}

describe('surveying a cluster that is being written to', () => {
  let stop: AbortController;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    stop = new AbortController();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  const revisionFound = async (etcd: Etcd): Promise<bigint | undefined> => {
    await using survey = await surveyMembers(etcd, stop.signal);
    return survey.members[0]?.status?.revision;
  };

  it('asks a member again at once whose status is older than the read', async () => {
    const { etcd, asked } = membersWithRevisions([current - 1n, current + 2n]);
    expect(await revisionFound(etcd)).toBe(current + 2n);
    expect(asked()).toBe(2);
  });

  it('waits for a follower that applies the read’s revision a moment later', async () => {
    const { etcd } = membersWithRevisions([current - 3n, current - 2n, current - 1n, current]);
    const found = revisionFound(etcd);
    await vi.advanceTimersByTimeAsync(200);
    expect(await found).toBe(current);
  });

  it('takes a member that stays behind for what it is, within a second', async () => {
    const { etcd } = membersWithRevisions([current - 3n]);
    const found = revisionFound(etcd);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await found).toBe(current - 3n);
  });

  it('does not wait for learners, which serve no snapshots', async () => {
    const voter = membersWithRevisions([0n], { isLearner: true });
    expect(await revisionFound(voter.etcd)).toBe(0n);
    expect(voter.asked()).toBe(1);
  });

  it('ends its wait when the run is interrupted', async () => {
    const { etcd } = membersWithRevisions([current - 3n]);
    const rejected = revisionFound(etcd).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(150);
    const reason = new Error('interrupted');
    stop.abort(reason);
    expect(await rejected).toMatchObject({ cause: reason });
    expect(vi.getTimerCount()).toBe(0);
  });
});
