import { describe, expect, it } from 'vitest';
import { describeDefragPlan, describeDefragRun } from '../../src/cli/describe-defrag.ts';
import type { DefragRun } from '../../src/jobs/defrag.ts';
import { compact, GiB, idOf, MiB, plan } from '../defrag/cluster.ts';
import { refuses } from '../support/scripted-etcd.ts';

const done: DefragRun['members'][number] = {
  name: 'etcd-1',
  beforeBytes: GiB,
  afterBytes: GiB / 4,
  durationMs: 12_345.6,
  outlastedCall: false,
  error: undefined,
};

function runOf(changes: Partial<DefragRun> = {}): DefragRun {
  const untouched = { memberIds: [], stays: undefined };
  return {
    plan: plan([{}, {}, compact]),
    members: [],
    moves: [],
    disarmed: untouched,
    stoppedBy: undefined,
    ...changes,
  };
}

describe('The plan of a defragmentation', () => {
  it('lists the steps in their order, the move of leadership, and why the others are passed by', () => {
    expect(describeDefragPlan(plan([{}, {}, compact])).lines).toEqual([
      'MEMBER  ROLE      STEP                   TO RECLAIM  WHY',
      expect.stringMatching(/^etcd-1 {2}follower {2}1 +768\.0 MiB {2}rule 1: fragmentation 75% is above 45%, /),
      expect.stringMatching(/^etcd-0 {2}leader {4}2, after etcd-1 leads {3}768\.0 MiB {2}rule 1: /),
      expect.stringMatching(/^etcd-2 {2}follower {2}- +- {2}1 MiB of 1 GiB reclaimable, less than minReclaim 32 MiB$/),
    ]);
  });

  it('says so where there is nothing to do', () => {
    expect(describeDefragPlan(plan([compact, compact, compact])).lines[0]).toBe('nothing to defragment');
  });

  it('says first what keeps it from being carried out, and promises nothing', () => {
    const lines = describeDefragPlan(plan([{}, {}, { silent: 'connection refused' }])).lines;
    expect(lines[0]).toBe('nothing is defragmented (unreachable-voter): no answer from etcd-2 (connection refused)');
    expect(lines[1]).toMatch(/^MEMBER +ROLE +REFUSED /);
    expect(lines[2]).toMatch(/^etcd-1 +follower +would be 1 /);
  });

  it('is data with every field, refused or not', () => {
    const { json } = describeDefragPlan(plan([{}, {}, compact]));
    expect(json).toEqual({
      dryRun: true,
      verdict: 'go',
      because: null,
      explanation: null,
      steps: [
        {
          member: 'etcd-1',
          id: 'a1',
          role: 'follower',
          moveLeaderTo: null,
          reasons: [expect.any(String)],
          predictedReclaimBytes: 768 * MiB,
          isEmergency: false,
        },
        expect.objectContaining({ member: 'etcd-0', role: 'leader', moveLeaderTo: 'etcd-1' }),
      ],
      skipped: [{ member: 'etcd-2', id: 'a2', reasons: [expect.any(String)] }],
    });
    const refused = describeDefragPlan(plan([{}])).json;
    expect(refused).toMatchObject({
      verdict: 'refuse',
      because: 'single-member',
      explanation: expect.any(String) as string,
    });
    expect(Object.keys(refused as object)).toEqual(Object.keys(json as object));
  });
});

describe('What a defragmentation did', () => {
  const linesAfterPlan = (run: DefragRun): readonly string[] => describeDefragRun(run).lines.slice(4);

  it('is told member by member, with what came back and how long it took', () => {
    const run = runOf({ members: [done], moves: [{ from: 'etcd-0', to: 'etcd-1' }] });
    expect(linesAfterPlan(run)).toEqual([
      '',
      'MEMBER    BEFORE      AFTER   TOOK  RESULT',
      'etcd-1  1.00 GiB  256.0 MiB  12.3s  768.0 MiB reclaimed',
      'leadership was moved from etcd-0 to etcd-1',
    ]);
  });

  // field: F067
  it('tells apart a file that got no smaller, a call that ended early, and members that failed', () => {
    const members = [
      { ...done, afterBytes: GiB },
      { ...done, outlastedCall: true },
      { ...done, afterBytes: undefined, error: refuses('defrag-unfinished') },
      { ...done, afterBytes: GiB, error: refuses('defrag-failed') },
    ];
    expect(linesAfterPlan(runOf({ members })).slice(2)).toEqual([
      expect.stringMatching(/no smaller; its cooldown begins$/),
      expect.stringMatching(/768\.0 MiB reclaimed, after the call had ended without an answer$/),
      expect.stringMatching(/ - +12\.3s {2}defrag-unfinished$/),
      expect.stringMatching(/ 1\.00 GiB +12\.3s {2}defrag-failed$/),
    ]);
  });

  // field: F077
  // field: F078
  it('says which alarms were lifted and why others stay', () => {
    const disarmed = { memberIds: [idOf(1)], stays: 'NOSPACE of etcd-2 stays: too large' };
    expect(linesAfterPlan(runOf({ disarmed }))).toEqual([
      'the alarm NOSPACE of etcd-1 was lifted',
      'NOSPACE of etcd-2 stays: too large',
    ]);
  });

  it('is data with every field', () => {
    const members = [
      done,
      { ...done, name: 'etcd-0', afterBytes: undefined, error: refuses('defrag-unfinished', 'gone') },
    ];
    const { json } = describeDefragRun(runOf({ members, stoppedBy: refuses('defrag-unfinished', 'gone') }));
    expect(json).toMatchObject({
      dryRun: false,
      verdict: 'go',
      moves: [],
      members: [
        {
          name: 'etcd-1',
          beforeBytes: GiB,
          afterBytes: GiB / 4,
          reclaimedBytes: 768 * MiB,
          seconds: 12.346,
          outlastedCall: false,
          error: null,
        },
        {
          name: 'etcd-0',
          afterBytes: null,
          reclaimedBytes: null,
          error: { code: 'defrag-unfinished', message: 'gone' },
        },
      ],
      disarmed: [],
      nospaceStays: null,
      stoppedBy: { code: 'defrag-unfinished', message: 'gone' },
    });
  });
});
