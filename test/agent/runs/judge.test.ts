import { describe, expect, it } from 'vitest';
import { judgeBackup, judgeDefrag, judgePruned, judgeVerified } from '../../../src/agent/runs/judge.ts';
import type { ErrorCode } from '../../../src/errors/table.ts';
import { WardenError } from '../../../src/errors/warden-error.ts';
import type { BackupResult } from '../../../src/jobs/backup.ts';
import type { DefragRun } from '../../../src/jobs/defrag.ts';
import type { PrunedRepository } from '../../../src/jobs/prune.ts';
import type { VerifyResult } from '../../../src/jobs/verify.ts';
import { placeAt, sampleManifest } from '../../support/sample-backup.ts';

const place = placeAt('2026-11-25T12:00:00Z');
const fails = (code: ErrorCode, message: string = code): WardenError => new WardenError(code, message);

describe('A backup', () => {
  const judge = (changes: Partial<BackupResult>): WardenError | undefined =>
    judgeBackup({
      place,
      manifest: sampleManifest(place),
      stored: ['near'],
      failed: new Map(),
      unchecked: new Map(),
      skippedMembers: [{ name: 'm3', reason: 'lags' }],
      damagedMembers: [],
      ...changes,
    });

  it('is well that every repository holds', () => {
    expect(judge({})).toBeUndefined();
  });

  it('is partly done where repositories failed, each with its reason', () => {
    const failed = new Map([
      ['far', fails('store-unreachable', 'no way there')],
      ['full', fails('store-full', 'no room')],
    ]);
    expect(judge({ failed, damagedMembers: [{ name: 'm2', reason: 'has bad pages' }] })).toMatchObject({
      code: 'repositories-failed',
      exitStatus: 5,
      message: 'stored in near only; far failed: no way there; full failed: no room; member m2: has bad pages',
      details: { stored: ['near'], failed: ['far', 'full'], codes: ['store-unreachable', 'store-full'] },
    });
  });

  it('is partly done where a member has bad data, though the backup is from another one', () => {
    expect(judge({ damagedMembers: [{ name: 'm2', reason: 'has bad pages' }] })).toMatchObject({
      code: 'member-damaged',
      message: 'member m2: has bad pages',
      details: { members: ['m2'] },
    });
  });
});

describe('A verification', () => {
  const read = (repository: string, error?: WardenError): VerifyResult['backups'][number] => ({
    repository,
    place,
    snapshotBytes: error === undefined ? 5 : undefined,
    error,
    recorded: true,
  });
  const judge = (
    backups: VerifyResult['backups'],
    failed: Readonly<Record<string, WardenError>> = {},
  ): WardenError | undefined => judgeVerified({ backups, failed: new Map(Object.entries(failed)) }, 2);

  it('is well that proved everything', () => {
    expect(judge([read('near'), read('far')])).toBeUndefined();
  });

  it('that found damage says so, whatever else went well or wrong, and names the backups', () => {
    const damage = fails('object-damaged', 'other bytes');
    const error = judge([read('near'), read('far', fails('store-timeout')), read('far', damage)], {
      gone: fails('store-unreachable'),
    });
    expect(error).toMatchObject({
      code: 'object-damaged',
      exitStatus: 3,
      hint: damage.hint,
      cause: damage,
      details: { codes: ['store-timeout', 'object-damaged', 'store-unreachable'] },
    });
    expect(error?.message.split('\n')).toEqual([
      `far: ${place.id.text}: store-timeout`,
      `far: ${place.id.text}: other bytes`,
      'gone: store-unreachable',
    ]);
  });

  it('is partly done where some could not be read, or one repository not be listed', () => {
    expect(judge([read('near'), read('near', fails('store-timeout'))])?.code).toBe('partly-verified');
    expect(judge([read('near')], { far: fails('store-unreachable') })?.code).toBe('partly-verified');
    expect(judge([], { far: fails('store-unreachable') })?.code).toBe('partly-verified');
  });

  it('fails as a whole where nothing could be read', () => {
    const gone = fails('store-unreachable', 'no way there');
    expect(judge([], { near: gone, far: gone })).toMatchObject({ code: 'store-unreachable', exitStatus: 1 });
    expect(judge([read('near', gone)])).toMatchObject({ code: 'store-unreachable', hint: gone.hint });
  });
});

describe('Retention', () => {
  const pruned = (repository: string, error?: WardenError): PrunedRepository => ({
    repository,
    plan: undefined,
    removals: new Map(),
    remains: undefined,
    swept: undefined,
    otherLineages: new Map(),
    otherClusters: [],
    error,
  });

  it('is well where every repository was pruned', () => {
    expect(judgePruned([pruned('near'), pruned('far')])).toBeUndefined();
    expect(judgePruned([])).toBeUndefined();
  });

  it('is partly done where one repository was not', () => {
    const refused = fails('prune-refused', 'far: too much');
    expect(judgePruned([pruned('near'), pruned('far', refused)])).toMatchObject({
      code: 'partly-pruned',
      exitStatus: 5,
      message: 'far: too much',
      hint: refused.hint,
      details: { codes: ['prune-refused'] },
    });
  });

  it('fails as a whole where none was: with its own error, or with what they have in common', () => {
    const refused = fails('prune-refused', 'near: too much');
    expect(judgePruned([pruned('near', refused)])).toBe(refused);
    expect(
      judgePruned([pruned('near', refused), pruned('far', fails('prune-refused', 'far: too much'))]),
    ).toMatchObject({ code: 'prune-refused', message: 'no repository was pruned; near: too much; far: too much' });
  });
});

describe('A defragmentation', () => {
  const run = (changes: Partial<DefragRun>): DefragRun => ({
    plan: { verdict: 'go', steps: [], skipped: [] },
    members: [],
    moves: [],
    disarmed: { memberIds: [], stays: undefined },
    stoppedBy: undefined,
    ...changes,
  });
  const member = (name: string, error?: WardenError): DefragRun['members'][number] => ({
    name,
    beforeBytes: 2,
    afterBytes: 1,
    durationMs: 1,
    outlastedCall: false,
    error,
  });

  it('is well that was not stopped', () => {
    expect(judgeDefrag(run({ members: [member('m2')] }))).toBeUndefined();
  });

  it('fails with what stopped it where no member was finished', () => {
    const stoppedBy = fails('defrag-refused', 'no quorum');
    expect(judgeDefrag(run({ stoppedBy }))).toBe(stoppedBy);
    expect(judgeDefrag(run({ stoppedBy, members: [member('m2', stoppedBy)] }))).toBe(stoppedBy);
  });

  it('is partly done where members were finished before it stopped', () => {
    const stoppedBy = fails('defrag-failed', 'm1 is gone');
    const members = [member('m2'), member('m3'), member('m1', stoppedBy)];
    expect(judgeDefrag(run({ stoppedBy, members }))).toMatchObject({
      code: 'partly-defragmented',
      message: 'm2, m3 done, then: m1 is gone',
      hint: stoppedBy.hint,
      cause: stoppedBy,
      details: { finished: ['m2', 'm3'], code: 'defrag-failed' },
    });
  });
});
