import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DefragPolicy } from '../../src/defrag/policy.ts';
import { isWardenError } from '../../src/errors/warden-error.ts';
import { hourMs, now } from '../defrag/cluster.ts';
import { liveCluster, requireNothingOpen, type LiveCluster, type MemberChanges } from '../support/defrag-cluster.ts';
import { wardenError } from '../support/errors.ts';
import { startTheClock, stopTheClock } from '../support/pass-time.ts';
import { refuses } from '../support/scripted-etcd.ts';
import { resultsOf, runAt } from './defrag-run.ts';

vi.mock('node:timers/promises', () => import('../support/fake-delay.ts'));

const known = (...ids: readonly number[]) => ids.map((id) => ({ id: BigInt(id), name: `m${id}`, isLearner: false }));

interface Case {
  readonly because: string;
  readonly members?: readonly MemberChanges[];
  readonly change?: (cluster: LiveCluster) => void;
  readonly policy?: Partial<DefragPolicy>;
  /** A word of the hint that this reason has. */
  readonly hint: RegExp;
}

const unreachable = { silent: refuses('etcd-unreachable', 'connection refused') };

/** All that facts can lead to. BC-12: but in one of them every member answers its status. */
const cases: Readonly<Record<string, Case>> = {
  'no read that needs a majority goes through': {
    because: 'no-leader',
    change: ({ members }) => members.forEach((member) => (member.noRead = refuses('etcd-deadline'))),
    hint: /quorum/,
  },
  'the members know of no leader': { because: 'no-leader', change: (cluster) => (cluster.leader = ''), hint: /quorum/ },
  'nobody can tell which alarms are raised': {
    because: 'no-leader',
    change: (cluster) => (cluster.alarms = refuses('etcd-deadline', 'alarms took too long')),
    hint: /quorum/,
  },
  'a member knows of others than we': {
    because: 'split-view',
    members: [{}, {}, { knows: known(1, 2, 3, 4) }],
    hint: /agree/,
  },
  'the members are in different terms': {
    because: 'split-view',
    members: [{}, {}, { status: { raftTerm: 9n } }],
    hint: /agree/,
  },
  // field: F060
  'a member was added and never started': {
    because: 'unstarted-member',
    members: [{}, {}, {}, { isUnstarted: true }],
    hint: /Start the member/,
  },
  // field: F072
  // BC-24
  'a voter does not answer': { because: 'unreachable-voter', members: [{}, {}, unreachable], hint: /endpointMap/ },
  'a voter lags behind': {
    because: 'lagging-voter',
    members: [{ status: { raftIndex: 9000n, raftAppliedIndex: 9000n } }, {}, { status: { raftIndex: 9000n } }],
    hint: /caught up/,
  },
  // BC-15
  'CORRUPT is raised beside NOSPACE': {
    because: 'corrupt-alarm',
    change: (cluster) =>
      (cluster.alarms = [
        { memberId: 2n, type: 'CORRUPT' },
        { memberId: 1n, type: 'NOSPACE' },
      ]),
    hint: /corrupt/,
  },
  // BC-09, BC-28
  'somebody else defragments a member': {
    because: 'defrag-running',
    members: [{}, {}, { metrics: { isDefragmenting: true } }],
    hint: /one member at a time/,
  },
  // BC-28
  'somebody streams a snapshot from the member': {
    because: 'snapshot-open',
    members: [{}, { metrics: { openSnapshots: 1 } }, { metrics: { openSnapshots: 1 } }],
    hint: /snapshot is taken/,
  },
  'a raft snapshot is on its way': {
    because: 'snapshot-open',
    members: [{ metrics: { raftSnapshotsInFlight: 1 } }, {}, {}],
    hint: /snapshot is taken/,
  },
  'what a member does cannot be seen': {
    because: 'activity-unknown',
    members: [{}, {}, { metrics: refuses('etcd-unreachable') }],
    hint: /cluster\.metrics/,
  },
  // field: F070
  'the release of etcd can corrupt data': {
    because: 'unsafe-version',
    members: ['3.5.9-k3s1', '3.5.9', '3.5.9'].map((version) => ({ status: { version } })),
    hint: /accept-unsafe-version/,
  },
  'another of two voters would be alone': { because: 'would-break-quorum', members: [{}, {}], hint: /voters/ },
  'no backup is recent enough': {
    because: 'no-recent-backup',
    policy: { requireBackupWithinMs: 24 * hourMs },
    hint: /Take a backup/,
  },
  'there is a single member': { because: 'single-member', members: [{}], hint: /allowSingleMember/ },
  // field: F082
  'the quota that a rule needs is not known': {
    because: 'unknown-quota',
    members: Array.from({ length: 3 }, () => {
      return { status: { dbSizeQuotaBytes: undefined }, metrics: { quotaBytes: undefined } };
    }),
    policy: { rules: [{ usageAbove: 0.75 }] },
    hint: /cluster\.quota/,
  },
};

describe('A defragmentation is refused before anything is sent', () => {
  let cluster: LiveCluster;

  beforeEach(() => {
    stopTheClock(now);
  });

  afterEach(() => {
    startTheClock();
    requireNothingOpen(cluster);
  });

  it.each(Object.entries(cases))('where %s', async (_, { because, members, change, policy = {}, hint }) => {
    cluster = liveCluster(members ?? [{}, {}, {}]);
    change?.(cluster);
    const test = runAt(cluster);
    const run = await test.run({ policy, disarmNospace: false });
    expect([cluster.sent(), test.written, run.members]).toEqual([[], [], []]);
    expect(run.plan).toMatchObject({ verdict: 'refuse', because });
    expect(run.stoppedBy).toEqual(wardenError('defrag-refused', `nothing is defragmented (${because}): `));
    if (!isWardenError(run.stoppedBy)) throw new Error('it was not refused');
    expect(run.stoppedBy).toMatchObject({ exitStatus: 4, details: { because } });
    expect(run.stoppedBy.hint).toMatch(hint);
  });

  it('where a recent backup is demanded and nobody can look, with the reason of the store', async () => {
    cluster = liveCluster();
    const newestBackup = () => Promise.reject(refuses('store-unreachable', 'the bucket is away'));
    const test = runAt(cluster, { newestBackup });
    const run = test.run({ policy: { requireBackupWithinMs: hourMs } });
    await expect(run).rejects.toEqual(wardenError('store-unreachable', 'the bucket is away'));
    expect([cluster.sent(), test.lock.holder]).toEqual([[], undefined]);
  });

  it('but not where the backup that is demanded is there', async () => {
    cluster = liveCluster();
    const asked: bigint[] = [];
    const newestBackup = async (clusterId: bigint): Promise<Date> => {
      asked.push(clusterId);
      return new Date(Date.now() - hourMs / 2);
    };
    const run = await runAt(cluster, { newestBackup }).run({ policy: { requireBackupWithinMs: hourMs } });
    expect(resultsOf(run)).toHaveLength(3);
    expect(asked[0]).toBe(0x0123456789abcdefn);
  });

  // field: F070
  it('but not where the operator accepts an unsafe version, or a single member', async () => {
    cluster = liveCluster([{ status: { version: '3.5.9' } }]);
    await runAt(cluster).run({ request: { acceptUnsafeVersion: true }, policy: { allowSingleMember: true } });
    expect(cluster.sent()).toEqual(['defragment m1']);
  });

  // BC-12
  it('where no other member serves a linearizable read at the last moment', async () => {
    cluster = liveCluster();
    const test = runAt(cluster);
    test.onStage = (text) => {
      if (!text.startsWith('defragmenting m2')) return;
      for (const name of ['m1', 'm3']) cluster.member(name).noRead = refuses('etcd-no-leader', 'leader changed');
    };
    const run = await test.run();
    expect(cluster.sent()).toEqual([]);
    expect(run.stoppedBy).toEqual(wardenError('defrag-refused', 'no linearizable read', 'leader changed'));
    // What was remembered of the attempt is taken back: nobody has to wait for a cooldown of it.
    expect(test.written.at(-1)).toMatchObject({ memberId: 2n, at: new Date(0), failures: 0 });
  });
});
