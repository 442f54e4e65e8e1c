import { beforeEach, describe, expect, it } from 'vitest';
import { runVerify, type VerifyRun } from '../../../src/agent/runs/verify.ts';
import type { Selection } from '../../../src/repository/select-backups.ts';
import { snapshotName } from '../../../src/repository/layout.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import {
  alter,
  clockAt,
  flipLastBit,
  repositoryNamed,
  storeSnapshot,
  type TestRepository,
} from '../../jobs/repositories.ts';
import { etcdSnapshot } from '../../support/crafted-etcd-snapshot.ts';
import { wardenError } from '../../support/errors.ts';
import { placeAt } from '../../support/sample-backup.ts';
import { memoryParts } from '../memory-parts.ts';

const places = ['11', '12'].map((hour) => placeAt(`2026-11-25T${hour}:00:00Z`));

describe('Reading backups back', () => {
  let near: TestRepository;
  let empty: TestRepository;

  beforeEach(async () => {
    [near, empty] = [repositoryNamed('near'), repositoryNamed('empty')];
    for (const place of places) await storeSnapshot(near.store, place, etcdSnapshot());
  });

  function run(selection: Selection, repositories = [near]): Promise<VerifyRun> {
    const parts = memoryParts({ repositories, clock: clockAt('2026-11-25T12:30:00Z') });
    return runVerify(parts, configOf(minimalConfig), selection, new AbortController().signal);
  }

  it('proves what is selected', async () => {
    const { result, error } = await run({ kind: 'references', references: ['latest'] });
    expect([result.backups.map(({ place }) => place.id.text), error]).toEqual([[places[1]?.id.text], undefined]);
  });

  it('is damage where one is not what it should be', async () => {
    alter(near, places[0] ?? expect.fail('no place'), snapshotName('.zst'), flipLastBit);
    expect((await run({ kind: 'all' })).error).toMatchObject({ exitStatus: 3 });
  });

  it('is partly done where one of the repositories holds nothing', async () => {
    const { error } = await run({ kind: 'all' }, [near, empty]);
    expect(error).toEqual(wardenError('partly-verified', 'empty'));
    expect((await run({ kind: 'all' }, [empty])).error).toEqual(wardenError('backup-not-found'));
  });
});
