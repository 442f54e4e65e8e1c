import { beforeEach, describe, expect, it } from 'vitest';
import { defragFacts, defragParts, quotaBytesOf } from '../../src/agent/defrag.ts';
import { describeHolder } from '../../src/agent/describe-holder.ts';
import type { Parts } from '../../src/agent/compose.ts';
import type { Repository } from '../../src/ports/repository.ts';
import { configOf, minimalConfig } from '../config/minimal-config.ts';
import { defaults } from '../defrag/cluster.ts';
import { failingListing, recordingLog, repositoryNamed } from '../jobs/repositories.ts';
import { wardenError } from '../support/errors.ts';
import { cluster, lineage, placeAt, storeBackup } from '../support/sample-backup.ts';
import { refuses } from '../support/scripted-etcd.ts';

const go = new AbortController().signal;

describe('What the configuration says of defragmentation', () => {
  it('is by default what the documentation promises', () => {
    const facts = defragFacts(configOf(minimalConfig));
    expect(facts.policy).toEqual({ ...defaults, rules: [expect.anything(), expect.anything()] });
    expect(facts.policy.rules.map((rule) => JSON.parse(JSON.stringify(rule)) as object)).toMatchObject(defaults.rules);
    expect(facts).toMatchObject({ quotaBytes: undefined, pauseMs: 60_000, disarmNospace: true });
  });

  it('is every option of it, in bytes, fractions and milliseconds', () => {
    const defrag = [
      'rules: [{usageAbove: 80%, reclaimableAbove: 5%ofQuota}, {dbSizeAbove: 1GiB}]',
      'minReclaim: 1MiB',
      'emergencyUsage: 95%',
      'pause: 5s',
      'cooldown: 1h',
      'moveLeader: false',
      'requireBackupWithin: 2h',
      'disarmNospace: false',
      'maxRaftLag: 7',
      'allowSingleMember: true',
    ];
    const facts = defragFacts(configOf(`${minimalConfig}defrag:\n${defrag.map((line) => `  ${line}\n`).join('')}`));
    expect(facts).toMatchObject({ pauseMs: 5000, disarmNospace: false });
    expect(facts.policy).toEqual({
      rules: [
        expect.objectContaining({ usageAbove: 0.8, reclaimableAbove: { fractionOfQuota: 0.05 } }),
        expect.objectContaining({ dbSizeAboveBytes: 2 ** 30, usageAbove: undefined }),
      ],
      minReclaimBytes: 2 ** 20,
      emergencyUsage: 0.95,
      cooldownMs: 3_600_000,
      requireBackupWithinMs: 7_200_000,
      moveLeader: false,
      maxRaftLag: 7,
      allowSingleMember: true,
    });
  });

  // field: F082
  it('may be a quota', () => {
    const config = configOf(minimalConfig.replace('  name: prod\n', '  name: prod\n  quota: 8GiB\n'));
    expect([quotaBytesOf(config.cluster), defragFacts(config).quotaBytes]).toEqual([8 * 2 ** 30, 8 * 2 ** 30]);
    expect(quotaBytesOf(configOf(minimalConfig).cluster)).toBeUndefined();
  });

  it('names to whoever finds the lock taken the command, the machine and the process', () => {
    expect(describeHolder('defrag')).toMatch(new RegExp(`^defrag on \\S+, process ${process.pid}$`));
  });
});

describe('The newest backup that a defragmentation may rely on', () => {
  let log: ReturnType<typeof recordingLog>;

  beforeEach(() => {
    log = recordingLog();
  });

  const find = (repositories: readonly Repository[]): Promise<Date | undefined> => {
    const parts = { repositories, log } as Partial<Parts> as Parts;
    return defragParts(parts, configOf(minimalConfig)).findNewestBackup(BigInt(`0x${lineage}`), go);
  };
  const broken = (): Repository => {
    const { name, store } = repositoryNamed('far');
    return { name, store: { ...store, list: () => failingListing(refuses('store-unreachable', 'no way there')) } };
  };
  async function holding(...times: readonly string[]): Promise<Repository> {
    const repository = repositoryNamed('holding');
    for (const time of times) await storeBackup(repository.store, placeAt(time));
    return repository;
  }

  it('is the newest of all repositories', async () => {
    const repositories = [
      await holding('2026-11-23T09:00:00Z', '2026-11-24T09:00:00Z'),
      await holding('2026-11-25T09:00:00Z'),
      await holding(),
    ];
    expect(await find(repositories)).toEqual(new Date('2026-11-25T09:00:00Z'));
  });

  it('is none where all are empty, or hold only what was made of another lineage or was never finished', async () => {
    const other = repositoryNamed('other');
    await storeBackup(other.store, { ...placeAt('2026-11-25T09:00:00Z'), lineage: 'f'.repeat(16) });
    const unfinished = repositoryNamed('unfinished');
    const place = placeAt('2026-11-25T09:00:00Z');
    await unfinished.store.create(`${cluster}/${lineage}/${place.id.text}/snapshot.db`, Buffer.from('bytes'), go);
    expect(await find([other, unfinished])).toBeUndefined();
  });

  it('is found though one repository cannot be listed, which is logged', async () => {
    expect(await find([broken(), await holding('2026-11-25T09:00:00Z')])).toEqual(new Date('2026-11-25T09:00:00Z'));
    expect(log.lines).toEqual(['warn the repository cannot be listed']);
  });

  it('is not called missing where nobody could look', async () => {
    await expect(find([broken(), await holding()])).rejects.toEqual(wardenError('store-unreachable', 'no way there'));
  });
});
