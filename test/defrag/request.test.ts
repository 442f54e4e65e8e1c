import { describe, expect, it } from 'vitest';
import { selectsNobody } from '../../src/defrag/request.ts';
import {
  cluster,
  compact,
  GiB,
  hourMs,
  idOf,
  learner,
  MiB,
  now,
  plan,
  stepsOf,
  unstarted,
  verdictOf,
  wordsOn,
} from './cluster.ts';

describe('a run asked for one member', () => {
  it.each(['etcd-1', 'a1', '0xa1', 'A1', '00000000000000a1'])('plans that one alone: %s', (only) => {
    const found = plan([{}, {}, {}], { only });
    expect(stepsOf(found)).toEqual(['etcd-1']);
    expect(wordsOn(2, found)).toBe(`not asked for: only ${only} is`);
  });

  it('takes what could be both for a name', () => {
    const found = plan([{}, {}, { name: 'a1' }], { only: 'a1' });
    expect(stepsOf(found)).toEqual(['a1']);
  });

  it('looks at the safety of all of them', () => {
    expect(plan([{}, {}, { silent: 'refused' }], { only: 'etcd-1' })).toMatchObject({ because: 'unreachable-voter' });
  });

  it('is told beforehand when it names nobody', () => {
    const facts = cluster([{}, {}, { id: 0n, name: 'etcd-x' }]);
    expect(['etcd-1', 'a1', 'etcd-x', undefined].map((only) => selectsNobody(facts, only))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    // An id that is not known is nobody's, and a number beyond 64 bits is no id.
    expect(['etcd-9', 'a9', '0', '', '10000000000000000a1'].map((only) => selectsNobody(facts, only))).toEqual([
      true,
      true,
      true,
      true,
      true,
    ]);
  });
});

describe('a forced run', () => {
  it('asks neither rules nor minReclaim nor cooldown', () => {
    const lastDefrag = { at: now, beforeBytes: 1, afterBytes: 1, failures: 3 };
    const found = plan([compact, { inUseBytes: 1024 * MiB, lastDefrag }, compact], { forceRule: true });
    expect(stepsOf(found)).toEqual(['etcd-1', 'etcd-2', 'etcd-0 after a move to etcd-1']);
    expect(wordsOn(1, found)).toBe('asked for whatever the rules say: 0 B of 1 GiB reclaimable');
    expect(found.verdict).toBe('go');
  });

  // Both sizes are read without a lock, so that what is in use may be ahead for a moment.
  it('never predicts that a database would grow', () => {
    const found = plan([compact, { inUseBytes: 1025 * MiB }, compact], { forceRule: true, only: 'etcd-1' });
    expect(found.steps).toMatchObject([{ predictedReclaimBytes: 0 }]);
  });

  it('asks for safety all the same', () => {
    const found = plan([compact, {}, { silent: 'refused' }], { forceRule: true });
    expect(verdictOf(found)).toBe('unreachable-voter: no answer from etcd-2 (refused)');
  });
});

describe('a run outside its windows', () => {
  const emergency = { dbSizeBytes: 7.3 * GiB, inUseBytes: GiB };

  it('takes nobody who can wait, and says why', () => {
    const found = plan([{}, {}, compact], { isOutsideWindow: true });
    expect(stepsOf(found)).toEqual([]);
    expect(found.verdict).toBe('go');
    expect(wordsOn(1, found)).toMatch(/^rule 1: .*; due, but no window is open now$/);
    expect(wordsOn(2, found)).not.toContain('window');
  });

  it('takes whoever is in an emergency', () => {
    const found = plan([{}, emergency, {}], { isOutsideWindow: true });
    expect(stepsOf(found)).toEqual(['etcd-1']);
    expect(wordsOn(1, found)).not.toContain('window');
  });

  it('goes by the limit of the policy for what an emergency is', () => {
    const found = plan([{}, {}, {}], { isOutsideWindow: true, emergencyUsage: 0.1 });
    expect(stepsOf(found)).toEqual(['etcd-1', 'etcd-2', 'etcd-0 after a move to etcd-1']);
  });

  it('asks for safety in an emergency as well', () => {
    const found = plan([{}, emergency, { silent: 'refused' }], { isOutsideWindow: true });
    expect(found).toMatchObject({ verdict: 'refuse', because: 'unreachable-voter' });
  });

  it('is bound to no window where somebody forces it', () => {
    const found = plan([compact, {}, compact], { isOutsideWindow: true, forceRule: true, only: 'etcd-1' });
    expect(stepsOf(found)).toEqual(['etcd-1']);
  });
});

describe('members that no run defragments', () => {
  // field: F058
  // BC-25
  it('are learners, which stand in nobody’s way', () => {
    const found = plan([{}, {}, {}, { ...learner, silent: 'not supported for a learner' }], { forceRule: true });
    expect(wordsOn(3, found)).toBe('learner: refuses to be defragmented');
    expect(stepsOf(found)).toHaveLength(3);
    expect(found.verdict).toBe('go');
  });

  it('are those that never started or did not answer', () => {
    const found = plan([{}, unstarted, { silent: 'connection refused' }, {}, {}]);
    expect(wordsOn(1, found)).toBe('was added and never started');
    expect(wordsOn(2, found)).toBe('did not answer: connection refused');
  });

  it('are those that were finished in this run, though they were due again', () => {
    const found = plan([{}, {}, {}], { done: new Set([idOf(1)]), cooldownMs: hourMs });
    expect(wordsOn(1, found)).toBe('defragmented in this run');
    expect(stepsOf(found)).toEqual(['etcd-2', 'etcd-0 after a move to etcd-1']);
  });
});
