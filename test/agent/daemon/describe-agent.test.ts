import { describe, expect, it } from 'vitest';
import { type AgentFacts, describeAgent } from '../../../src/agent/daemon/describe-agent.ts';
import { Knowledge } from '../../../src/agent/daemon/knowledge.ts';
import { summarizeCatalogue } from '../../../src/agent/summarize-catalogue.ts';
import type { ClusterFacts } from '../../../src/defrag/facts.ts';
import { WardenError } from '../../../src/errors/warden-error.ts';
import { readCatalogue } from '../../../src/repository/catalogue.ts';
import { cluster, idOf, learner, unstarted, type Changes } from '../../defrag/cluster.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { cluster as clusterName, placeAt, storeBackup } from '../../support/sample-backup.ts';

const now = new Date('2026-11-25T12:00:00Z');
const minutesAgo = (minutes: number): Date => new Date(now.getTime() - minutes * 60_000);
const facts: AgentFacts = {
  cluster: 'prod',
  startedAt: minutesAgo(90),
  now,
  schedule: [],
  backupIntervalSeconds: 1800,
  verifyIntervalSeconds: undefined,
  repositories: ['primary', 'local'],
  lookIntervalMs: { repositories: 300_000, members: 30_000 },
};
const noBackups = { complete: 0, incomplete: 0, damaged: 0, held: 0 };

/** Members as they were just seen. */
function seen(members: readonly Changes[], changes: Partial<ClusterFacts> = {}): Knowledge {
  const knowledge = new Knowledge();
  knowledge.members = { seenAt: minutesAgo(0.5), facts: cluster(members, changes) };
  return knowledge;
}

describe('The status of an agent that knows nothing yet', () => {
  it('names what is configured, and calls nothing safe', () => {
    const status = describeAgent(facts, new Knowledge());
    expect(status).toMatchObject({ cluster: 'prod', startedAt: minutesAgo(90), now, verdict: { level: 'unknown' } });
    expect(status.repositories).toEqual(
      ['primary', 'local'].map((name) => ({
        name,
        location: '',
        listedAt: undefined,
        error: undefined,
        isOutdated: false,
        newest: undefined,
        newestVerified: undefined,
        newestDrilled: undefined,
        expectedAgeSeconds: 1800,
        backups: noBackups,
        storedBytes: 0,
      })),
    );
    expect(status.members).toEqual({ seenAt: undefined, error: undefined, isOutdated: false, members: [] });
    expect([status.events, status.running, status.lastErrors]).toEqual([[], [], []]);
  });
});

describe('The status', () => {
  it('shows of each repository what its last good listing told, and why the last one failed', async () => {
    const knowledge = new Knowledge();
    const store = createMemoryStore();
    const place = placeAt('2026-11-25T11:30:00Z');
    await storeBackup(store, place);
    const { entries } = await readCatalogue(store, clusterName, undefined, new AbortController().signal);
    const summary = summarizeCatalogue('primary', entries, minutesAgo(5));
    const error = new WardenError('store-unreachable', 'no way there');
    knowledge.repositories.set('primary', {
      location: 's3://bucket',
      summary,
      failure: { error, since: minutesAgo(4) },
    });
    const [primary] = describeAgent(facts, knowledge).repositories;
    expect(primary).toMatchObject({
      location: 's3://bucket',
      listedAt: minutesAgo(5),
      error: { code: 'store-unreachable', message: 'no way there', hint: error.hint, since: minutesAgo(4) },
      isOutdated: false,
      newest: { id: place.id.text },
      backups: { complete: 1 },
      storedBytes: summary.facts.storedBytes,
    });
    expect(Object.keys(primary?.error ?? {})).toEqual(['code', 'message', 'hint', 'since']);
  });

  it('shows members by name, with their roles', () => {
    const members = [
      { name: 'z' },
      { name: 'b' },
      { ...learner, name: 'c' },
      { name: 'd', silent: 'refused' },
      unstarted,
    ];
    const described = describeAgent(facts, seen(members)).members;
    expect(described.seenAt).toEqual(minutesAgo(0.5));
    expect(described.members.map(({ name, role }) => [name, role])).toEqual([
      ['', 'unstarted'],
      ['b', 'follower'],
      ['c', 'learner'],
      ['d', 'unreachable'],
      ['z', 'leader'],
    ]);
  });

  it('takes no member for the leader whose id nobody knows', () => {
    const [member] = describeAgent(facts, seen([{ id: 0n, leaderId: 0n }])).members.members;
    expect(member?.role).toBe('follower');
  });

  it('shows sizes and alarms of each member, and what is wrong with it', () => {
    const alarms = [
      { memberId: idOf(0), type: 'NOSPACE' },
      { memberId: idOf(1), type: 'CORRUPT' },
    ] as const;
    const members = [{ dbSizeBytes: 300, inUseBytes: 100 }, { silent: 'refused' }, { cutOffBecause: 'no leader' }];
    expect(describeAgent(facts, seen(members, { alarms })).members.members).toMatchObject([
      { dbSizeBytes: 300, inUseBytes: 100, version: '3.6.16', alarms: ['NOSPACE'], trouble: undefined },
      { dbSizeBytes: undefined, inUseBytes: undefined, version: undefined, alarms: ['CORRUPT'], trouble: 'refused' },
      { alarms: [], trouble: 'no leader' },
    ]);
  });

  it.each([
    [{ kind: 'limited', bytes: 8 * 2 ** 30, source: 'status' }, 8 * 2 ** 30, '8.00 GiB (status)'],
    [{ kind: 'unlimited', source: 'metrics' }, undefined, 'unlimited'],
    [{ kind: 'unknown', reason: 'not asked' }, undefined, 'not known: not asked'],
  ] as const)('says of a quota what is known: %j', (quota, quotaBytes, quotaText) => {
    expect(describeAgent(facts, seen([{ quota }])).members.members).toMatchObject([{ quotaBytes, quotaText }]);
  });

  it('keeps what was seen of the members where they cannot be asked now, and says so', () => {
    const knowledge = seen([{}]);
    knowledge.membersFailed(new WardenError('etcd-unreachable', 'refused'), now);
    const { members, verdict } = describeAgent(facts, knowledge);
    expect([members.members.length, members.error?.code]).toEqual([1, 'etcd-unreachable']);
    expect(verdict.level).toBe('danger');
  });

  it('holds the members against safety: no quorum', async () => {
    const knowledge = seen([{}], { noQuorumBecause: 'no leader' });
    const summary = summarizeCatalogue('primary', [], now);
    knowledge.repositories.set('primary', { location: '', summary, failure: undefined });
    expect(describeAgent(facts, knowledge).problems.map(({ text }) => text)).toContain(
      'Etcd has no quorum: no leader.',
    );
  });

  it('puts what happened here and what repositories tell into one order, newest first', () => {
    const knowledge = new Knowledge();
    const event = (minutes: number, text: string) =>
      ({ at: minutesAgo(minutes), kind: 'backup', repository: 'primary', text }) as const;
    const summary = { ...summarizeCatalogue('primary', [], now), events: [event(3, 'c'), event(1, 'a')] };
    knowledge.repositories.set('primary', { location: '', summary, failure: undefined });
    knowledge.note(event(4, 'd'));
    knowledge.note(event(2, 'b'));
    expect(describeAgent(facts, knowledge).events.map(({ text }) => text)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('shows what comes next in its order, what runs, and what failed last', () => {
    const knowledge = new Knowledge();
    knowledge.jobBegan('verify', minutesAgo(1));
    knowledge.jobEnded('prune', new WardenError('store-failed', 'gone'), minutesAgo(2));
    const planned = (job: 'backup' | 'defrag', minutes: number) =>
      ({ job, cron: '* * * * *', timeZone: 'UTC', nextAt: minutesAgo(-minutes) }) as const;
    const status = describeAgent({ ...facts, schedule: [planned('backup', 9), planned('defrag', 5)] }, knowledge);
    expect(status.schedule.map(({ job }) => job)).toEqual(['defrag', 'backup']);
    expect([status.running[0]?.job, status.lastErrors[0]?.job]).toEqual(['verify', 'prune']);
  });

  it('counts on the next backup of its own schedule, and on no other job', () => {
    const knowledge = new Knowledge();
    knowledge.repositories.set('primary', {
      location: '',
      summary: summarizeCatalogue('primary', [], now),
      failure: undefined,
    });
    const planned = { cron: '* * * * *', timeZone: 'UTC', nextAt: minutesAgo(-9) };
    const verdictWith = (job: 'backup' | 'verify'): string =>
      describeAgent({ ...facts, repositories: ['primary'], schedule: [{ ...planned, job }] }, knowledge).verdict
        .sentence;
    expect(verdictWith('backup')).toBe('There is no backup yet; the first is due in 9m.');
    expect(verdictWith('verify')).toBe('No repository holds a backup.');
  });
});
