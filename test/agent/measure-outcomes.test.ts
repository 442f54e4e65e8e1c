import { beforeEach, describe, expect, it } from 'vitest';
import { measureBackup, measureDefragged, measurePruned, resultOf } from '../../src/agent/measure-outcomes.ts';
import { errorTable, type ErrorCode } from '../../src/errors/table.ts';
import { WardenError } from '../../src/errors/warden-error.ts';
import type { BackupResult } from '../../src/jobs/backup.ts';
import type { PrunedRepository } from '../../src/jobs/prune.ts';
import { placeAt, sampleFacts, sampleManifest } from '../support/sample-backup.ts';
import { recordedMeasures, type RecordedMeasures } from './memory-parts.ts';

const broken = new WardenError('store-failed', 'the store is gone');

describe('What metrics are told', () => {
  let measures: RecordedMeasures;

  beforeEach(() => {
    measures = recordedMeasures();
  });

  /** A backup of four stages that lasted 1, 2, 3 and 4 seconds. */
  function measure(ended: string): void {
    const place = placeAt('2026-11-25T12:00:01Z');
    const timings = {
      startedAt: '2026-11-25T12:00:01.000Z',
      streamedAt: '2026-11-25T12:00:03.000Z',
      committedAt: '2026-11-25T12:00:06.000Z',
      streamHeldMs: 1500,
    };
    const result: BackupResult = {
      place,
      manifest: sampleManifest(place, { ...sampleFacts(place), timings }),
      stored: ['local'],
      failed: new Map(),
      unchecked: new Map(),
      skippedMembers: [],
      damagedMembers: [],
    };
    measureBackup(measures, result, { began: new Date('2026-11-25T12:00:00Z'), ended: new Date(ended) });
  }

  it('of a backup is its sizes, how long each stage took, and for how long the stream was held', () => {
    measure('2026-11-25T12:00:10Z');
    expect(measures.told).toEqual([
      [
        'backupCommitted',
        {
          snapshotBytes: 20_512,
          storedBytes: 5,
          streamHeldSeconds: 1.5,
          stageSeconds: new Map([
            ['choose', 1],
            ['stream', 2],
            ['compare', 3],
            ['commit', 4],
          ]),
        },
      ],
    ]);
  });

  it('of a stage is never less than nothing, though the clock was set back', () => {
    measure('2026-11-25T11:00:00Z');
    const [[backup]] = measures.of('backupCommitted') as [[{ readonly stageSeconds: ReadonlyMap<string, number> }]];
    expect(backup.stageSeconds.get('commit')).toBe(0);
  });

  it('of retention is what was removed from each repository, and no more', () => {
    const pruned = (repository: string, removals: PrunedRepository['removals']): PrunedRepository => ({
      repository,
      plan: undefined,
      removals,
      remains: undefined,
      swept: undefined,
      otherLineages: new Map(),
      otherClusters: [],
      error: undefined,
    });
    const rest = { failure: undefined, failed: 0, locked: 0, keptVersions: 0 };
    measurePruned(measures, [
      pruned(
        'local',
        new Map([
          ['a', { kind: 'removed', rest }],
          ['b', { kind: 'failed', error: broken }],
          ['c', { kind: 'held', holds: [] }],
          ['d', { kind: 'locked', until: undefined }],
          ['e', { kind: 'removed', rest }],
        ]),
      ),
      pruned('far', new Map()),
    ]);
    expect(measures.told).toEqual([
      ['backupsRemoved', 'local', 2],
      ['backupsRemoved', 'far', 0],
    ]);
  });

  it('of a defragmented member is what came back, which may not be known and is never negative', () => {
    const member = { name: 'm1', beforeBytes: 100, durationMs: 2500, outlastedCall: false, error: undefined };
    measureDefragged(measures, [
      { ...member, afterBytes: 40 },
      { ...member, afterBytes: 110 },
      { ...member, afterBytes: undefined, error: broken },
    ]);
    const facts = [60, 0, undefined].map((reclaimedBytes) => ['m1', { seconds: 2.5, reclaimedBytes }]);
    expect(measures.of('memberDefragmented')).toEqual(facts);
  });

  it.each<[ErrorCode, string]>([
    ['config-invalid', 'usage'],
    ['store-failed', 'failed'],
    ['object-damaged', 'damage'],
    ['prune-refused', 'refused'],
    ['repositories-failed', 'partly'],
    ['busy', 'busy'],
    ['interrupted', 'interrupted'],
  ])('of a run that ended with %s is: %s', (code, result) => {
    expect(resultOf(new WardenError(code, 'it failed'))).toBe(result);
  });

  it('of every failure is a class of its own kind, and of success that alone', () => {
    expect(resultOf(undefined)).toBe('succeeded');
    const codes = Object.keys(errorTable) as ErrorCode[];
    expect(codes.filter((code) => resultOf(new WardenError(code, 'it failed')) === 'succeeded')).toEqual([]);
  });
});
