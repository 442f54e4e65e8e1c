import { describe, expect, it } from 'vitest';
import type { Quota } from '../../src/defrag/facts.ts';
import { compact, GiB, plan, stepsOf, verdictOf, wordsOn, type Changes } from './cluster.ts';

const unlimited: Quota = { kind: 'unlimited', source: 'status' };
const unknown: Quota = { kind: 'unknown', reason: 'etcd 3.5 tells it on /metrics only' };
/** Due by usage alone. */
const full: Changes = { dbSizeBytes: 7 * GiB, inUseBytes: 6 * GiB };
const fragmented: Changes = { dbSizeBytes: 7 * GiB, inUseBytes: GiB };

// field: F082
describe('a quota', () => {
  it.each([2 * GiB, 8 * GiB])('of %d bytes is what usage is measured by', (bytes) => {
    const quota: Quota = { kind: 'limited', bytes, source: 'configuration' };
    const found = plan([compact, { dbSizeBytes: 1.6 * GiB, inUseBytes: 1.3 * GiB, quota }, compact]);
    expect(stepsOf(found)).toEqual(bytes === 2 * GiB ? ['etcd-1'] : []);
  });

  it('that is unlimited turns rules of usage off, and says so', () => {
    const found = plan([compact, { ...full, quota: unlimited }, compact]);
    expect(found.verdict).toBe('go');
    expect(wordsOn(1, found)).toBe(
      'rule 1: fragmentation 14.2% is not above 45%; rule 2: reclaimable above 10% of the quota never holds of an unlimited quota and usage above 75% never holds of an unlimited quota',
    );
  });

  it('that is unlimited leaves the other rules as they are, and is never an emergency', () => {
    const found = plan([compact, { ...fragmented, quota: unlimited }, compact]);
    expect(found.steps).toMatchObject([{ member: { name: 'etcd-1' }, isEmergency: false }]);
  });

  it('that is not known makes it impossible to judge a member: refused, with the way out', () => {
    const found = plan([compact, { ...full, quota: unknown }, compact]);
    expect(verdictOf(found)).toBe(
      'unknown-quota: whether it is due cannot be told of etcd-1 (rule 2: reclaimable above 10% of the quota and usage above 75% cannot be told without the quota, which is not known: etcd 3.5 tells it on /metrics only): set cluster.quota, or cluster.metrics to where the members serve /metrics',
    );
    expect(stepsOf(found)).toEqual([]);
  });

  it('that is not known holds up the others as well, after what makes them unsafe', () => {
    const members = [compact, { ...full, quota: unknown }, fragmented];
    expect(plan(members)).toMatchObject({ because: 'unknown-quota', steps: [{ member: { name: 'etcd-2' } }] });
    expect(plan(members, { facts: { noQuorumBecause: 'it took 5 s' } })).toMatchObject({ because: 'no-leader' });
  });

  it.each<[string, Changes]>([
    ['a rule without it is due', fragmented],
    ['there is less than minReclaim to gain', compact],
    ['a condition of each rule fails without it', { dbSizeBytes: GiB, inUseBytes: 0.9 * GiB }],
  ])('that is not known does not matter where %s', (name, changes) => {
    const rules = [
      { fragmentationAbove: 0.45 },
      { usageAbove: 0.5, ...(name.startsWith('a condition') && { dbSizeAboveBytes: 2 * GiB }) },
    ];
    expect(plan([compact, { ...changes, quota: unknown }, compact], { rules }).verdict).toBe('go');
  });

  it('that is not known does not matter for what is forced or not asked for', () => {
    const members = [compact, { ...full, quota: unknown }, compact];
    expect(stepsOf(plan(members, { forceRule: true, only: 'etcd-1' }))).toEqual(['etcd-1']);
    expect(plan(members, { forceRule: true, only: 'etcd-1' }).verdict).toBe('go');
    expect(plan(members, { only: 'etcd-2' }).verdict).toBe('go');
  });
});
