import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Knowledge } from '../../../src/agent/daemon/knowledge.ts';
import { lookAtMembers, lookAtRepositories } from '../../../src/agent/daemon/watch.ts';
import type { Etcd } from '../../../src/ports/etcd.ts';
import type { ObjectInfo, ObjectStore } from '../../../src/ports/object-store.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import { failingListing, fieldsLog, repositoryNamed, type TestRepository } from '../../jobs/repositories.ts';
import { GiB, liveCluster, type LiveCluster, untilAborted } from '../../support/defrag-cluster.ts';
import { wardenError } from '../../support/errors.ts';
import { startTheClock, stopTheClock, toItsEnd } from '../../support/pass-time.ts';
import { placeAt, storeBackup } from '../../support/sample-backup.ts';
import { refuses } from '../../support/scripted-etcd.ts';
import { listedBy, memoryParts, recordedMeasures, type RecordedMeasures } from '../memory-parts.ts';

const noon = new Date('2026-11-25T12:00:00Z');
const place = placeAt('2026-11-25T11:30:00Z');

let knowledge: Knowledge;
let log: ReturnType<typeof fieldsLog>;
let measures: RecordedMeasures;
let stop: AbortController;

beforeEach(() => {
  stopTheClock(noon);
  knowledge = new Knowledge();
  log = fieldsLog();
  measures = recordedMeasures();
  stop = new AbortController();
});
afterEach(startTheClock);

describe('A look at the repositories', () => {
  let near: TestRepository;
  let far: TestRepository;
  /** How the store of `far` lists, in place of what it does by itself. */
  let listFar: ObjectStore['list'] | undefined;

  beforeEach(async () => {
    [near, far] = [repositoryNamed('near'), repositoryNamed('far')];
    listFar = undefined;
    for (const { store } of [near, far]) await storeBackup(store, place);
  });

  function look(): Promise<void> {
    const parts = memoryParts({ repositories: [near, listedBy(far, () => listFar)], measures });
    return toItsEnd(lookAtRepositories(parts, configOf(minimalConfig), knowledge, log, stop.signal));
  }
  const isGone = (): AsyncIterable<ObjectInfo> => failingListing(refuses('store-unreachable', 'no way there'));

  it('remembers and measures what each listing tells', async () => {
    await look();
    expect([...knowledge.repositories]).toMatchObject([
      ['near', { location: 'near', failure: undefined, summary: { newest: { id: place.id.text } } }],
      ['far', { location: 'far', failure: undefined, summary: { newest: { id: place.id.text } } }],
    ]);
    expect(measures.of('repositoryListed')).toMatchObject([
      ['near', { newestBackupAt: place.id.time, listedAt: noon }],
      ['far', { newestBackupAt: place.id.time, listedAt: noon }],
    ]);
  });

  it('follows what becomes of a store', async () => {
    await look();
    near.store.objects.clear();
    await look();
    expect(knowledge.repositories.get('near')?.summary).toMatchObject({ newest: undefined });
    expect(measures.of('repositoryListed').at(-2)).toMatchObject(['near', { newestBackupAt: undefined }]);
  });

  it('keeps what was last known of a store that cannot be listed, says why, and hides no other one', async () => {
    await look();
    measures.told.length = 0;
    listFar = isGone;
    await look();
    expect(knowledge.repositories.get('far')).toMatchObject({
      summary: { newest: { id: place.id.text } },
      failure: { error: wardenError('store-unreachable', 'no way there'), since: expect.any(Date) as Date },
    });
    expect(measures.told.map(([event, name]) => [event, name])).toEqual([['repositoryListed', 'near']]);
    const fields = { repository: 'far', code: 'store-unreachable', reason: 'no way there' };
    expect(log.lines).toEqual([['warn', 'the repository cannot be listed', fields]]);
  });

  it('says when a store is back', async () => {
    listFar = isGone;
    await look();
    listFar = undefined;
    await look();
    await look();
    expect(knowledge.repositories.get('far')?.failure).toBeUndefined();
    expect(log.lines.slice(1)).toEqual([['info', 'the repository can be listed again', { repository: 'far' }]]);
  });

  it('waits two minutes for a store that does not answer, and calls it that', async () => {
    listFar = (_, signal) => ({ [Symbol.asyncIterator]: () => ({ next: () => untilAborted(signal) }) });
    await look();
    expect(Date.now() - noon.getTime()).toBeGreaterThanOrEqual(120_000);
    expect(knowledge.repositories.get('far')?.failure?.error).toEqual(wardenError('store-timeout', '120 s'));
    expect(knowledge.repositories.get('near')?.summary).toBeDefined();
  });

  it('ends when it is told to, and takes that for no fault of a store', async () => {
    listFar = (_, signal) => ({ [Symbol.asyncIterator]: () => ({ next: () => untilAborted(signal) }) });
    const looking = look();
    stop.abort(refuses('interrupted', 'told to stop'));
    await expect(looking).rejects.toEqual(wardenError('interrupted'));
    expect([knowledge.repositories.has('far'), log.lines]).toEqual([false, []]);
  });
});

describe('A look at the members', () => {
  let cluster: LiveCluster;

  beforeEach(() => {
    cluster = liveCluster();
  });

  const look = (changes: Partial<Etcd> = {}, sections = ''): Promise<void> => {
    const parts = memoryParts({ etcd: { ...cluster.etcd, ...changes }, metrics: cluster.metrics, measures });
    const config = configOf(`${minimalConfig}${sections}`);
    return toItsEnd(lookAtMembers(parts, config, knowledge, log, stop.signal));
  };
  const discover = (): Promise<never> => Promise.reject(refuses('etcd-unreachable', 'nobody answers'));
  const nothingKnown = { dbSizeBytes: undefined, inUseBytes: undefined, quotaBytes: undefined, alarms: [] };

  it('remembers and measures every member', async () => {
    cluster.alarms = [
      { memberId: 2n, type: 'NOSPACE' },
      { memberId: 2n, type: 'UNKNOWN' },
    ];
    cluster.member('m3').silent = refuses('etcd-unreachable', 'refused');
    await look();
    expect(knowledge.members).toMatchObject({ seenAt: noon, facts: { members: { length: 3 } } });
    const sizes = { dbSizeBytes: GiB, inUseBytes: GiB / 4, quotaBytes: 8 * GiB };
    expect(measures.told).toEqual([
      [
        'membersSeen',
        [
          { name: 'm1', reachable: true, isLeader: true, ...sizes, alarms: [] },
          { name: 'm2', reachable: true, isLeader: false, ...sizes, alarms: ['NOSPACE'] },
          { name: 'm3', reachable: false, isLeader: false, ...nothingKnown },
        ],
      ],
    ]);
  });

  it('calls a member unreachable that answers and is cut off from the others', async () => {
    cluster.member('m2').noRead = refuses('etcd-no-leader', 'no leader');
    await look();
    expect(measures.told).toMatchObject([
      ['membersSeen', [{ reachable: true }, { name: 'm2', reachable: false, dbSizeBytes: GiB }, { reachable: true }]],
    ]);
  });

  it('knows of no quota where there is none', async () => {
    cluster.member('m1').metrics = { quotaBytes: -1 };
    cluster.member('m1').status = { ...cluster.member('m1').status, dbSizeQuotaBytes: undefined };
    await look();
    expect(measures.told).toMatchObject([['membersSeen', [{ quotaBytes: undefined }, { quotaBytes: 8 * GiB }, {}]]]);
  });

  it('says why nobody can be asked, and measures that everybody is gone', async () => {
    await look();
    measures.told.length = 0;
    await look({ discover });
    expect(knowledge.membersFailure?.error).toEqual(wardenError('etcd-unreachable', 'nobody answers'));
    expect(knowledge.members?.facts.members).toHaveLength(3);
    expect(measures.told).toEqual([
      ['membersSeen', ['m1', 'm2', 'm3'].map((name) => ({ name, reachable: false, isLeader: false, ...nothingKnown }))],
    ]);
    const fields = { code: 'etcd-unreachable', reason: 'nobody answers' };
    expect(log.lines).toEqual([['warn', 'the members cannot be asked', fields]]);
  });

  it('says when they are back', async () => {
    await look({ discover });
    await look();
    await look();
    expect(knowledge.membersFailure).toBeUndefined();
    expect(log.lines.slice(1)).toEqual([['info', 'the members can be asked again', undefined]]);
  });

  it('waits a minute for members that do not answer, and calls them that', async () => {
    await look({ discover: (signal) => untilAborted(signal) });
    expect(Date.now() - noon.getTime()).toBeGreaterThanOrEqual(60_000);
    expect(knowledge.membersFailure?.error).toEqual(wardenError('etcd-deadline', '60 s'));
  });

  it('ends when it is told to, and takes that for no fault of etcd', async () => {
    const looking = look({ discover: (signal) => untilAborted(signal) });
    stop.abort(refuses('interrupted', 'told to stop'));
    await expect(looking).rejects.toEqual(wardenError('interrupted'));
    expect([knowledge.membersFailure, log.lines, measures.told]).toEqual([undefined, [], []]);
  });

  it('takes the quota of the configuration where there is one', async () => {
    const config = configOf(minimalConfig.replace('  name: prod\n', '  name: prod\n  quota: 4GiB\n'));
    const parts = memoryParts({ etcd: cluster.etcd, metrics: cluster.metrics, measures });
    await toItsEnd(lookAtMembers(parts, config, knowledge, log, stop.signal));
    expect(measures.told).toMatchObject([['membersSeen', [1, 2, 3].map(() => ({ quotaBytes: 4 * GiB }))]]);
  });
});
