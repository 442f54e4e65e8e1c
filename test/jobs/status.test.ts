import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readNewestBackups, readStatus, type ClusterStatus } from '../../src/jobs/status.ts';
import type { DefragRecords } from '../../src/ports/defrag-records.ts';
import { createMemoryDefragRecords } from '../support/memory-lock.ts';
import { GiB, liveCluster, requireNothingOpen, untilAborted, type LiveCluster } from '../support/defrag-cluster.ts';
import { wardenError } from '../support/errors.ts';
import { cluster as name, lineage, placeAt, storeBackup } from '../support/sample-backup.ts';
import { clusterId, refuses } from '../support/scripted-etcd.ts';
import { clockAt, failingListing, recordingLog, repositoryNamed } from './repositories.ts';

describe('Reading the status of a cluster', () => {
  let cluster: LiveCluster;
  let stop: AbortController;

  beforeEach(() => {
    cluster = liveCluster();
    stop = new AbortController();
  });

  afterEach(() => {
    requireNothingOpen(cluster);
  });

  const read = (records: DefragRecords = createMemoryDefragRecords(), quotaBytes?: number): Promise<ClusterStatus> => {
    const { etcd, metrics } = cluster;
    const parts = { etcd, metrics, records, clock: clockAt('2026-11-25T12:00Z'), log: recordingLog() };
    return readStatus(parts, quotaBytes, stop.signal);
  };

  it('asks every member, and remembers what was done with it', async () => {
    const record = { at: new Date(), beforeBytes: 5, afterBytes: 3, durationMs: 1, failures: 0 };
    const status = await read(createMemoryDefragRecords([[2n, record]]));
    expect([status.clusterId, cluster.sent()]).toEqual([clusterId, []]);
    expect(status.facts.members.map(({ lastDefrag }) => lastDefrag?.afterBytes)).toEqual([undefined, 3, undefined]);
  });

  it('takes the quota of the configuration where there is one', async () => {
    expect((await read(createMemoryDefragRecords(), GiB)).facts.members[0]?.quota).toMatchObject({ bytes: GiB });
  });

  it('looks at the members all the more where nothing is remembered for want of a majority', async () => {
    for (const member of cluster.members) member.noRead = refuses('etcd-no-leader', 'no leader');
    const records = { ...createMemoryDefragRecords(), readAll: () => Promise.reject(refuses('etcd-no-leader')) };
    const { facts } = await read(records);
    expect([facts.members.length, facts.noQuorumBecause]).toEqual([3, 'no leader']);
  });

  it('ends at once when it is told to', async () => {
    const reading = read({ ...createMemoryDefragRecords(), readAll: (signal) => untilAborted(signal) });
    stop.abort(refuses('interrupted', 'ended by SIGINT'));
    await expect(reading).rejects.toEqual(wardenError('interrupted', 'SIGINT'));
  });
});

describe('Reading the newest backups', () => {
  const go = new AbortController().signal;
  const place = { cluster: name, clusterId: BigInt(`0x${lineage}`) };

  it('finds in each repository the newest usable one of this cluster', async () => {
    const repositories = [repositoryNamed('primary'), repositoryNamed('empty')];
    const [primary] = repositories;
    const newest = placeAt('2026-11-25T09:00:00Z');
    const older = placeAt('2026-11-24T09:00:00Z');
    const stranger = { ...placeAt('2026-11-25T10:00:00Z'), lineage: 'f'.repeat(16) };
    for (const one of [newest, older, stranger]) if (primary !== undefined) await storeBackup(primary.store, one);
    expect(await readNewestBackups(repositories, place, go)).toEqual([
      {
        name: 'primary',
        newest: { id: newest.id.text, time: newest.id.time, verifiedAt: undefined },
        error: undefined,
      },
      { name: 'empty', newest: undefined, error: undefined },
    ]);
  });

  it('tells of a repository that cannot be listed, beside the others', async () => {
    const far = repositoryNamed('far');
    const store = { ...far.store, list: () => failingListing(refuses('store-unreachable', 'no way there')) };
    const [found, empty] = await readNewestBackups([{ name: 'far', store }, repositoryNamed('empty')], place, go);
    expect(found).toEqual({ name: 'far', newest: undefined, error: wardenError('store-unreachable') });
    expect(empty?.error).toBeUndefined();
  });
});
