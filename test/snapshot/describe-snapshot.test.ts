import { describe, expect, it } from 'vitest';
import { describeEncryption, describeLiveHash, describeMember } from '../../src/snapshot/describe-snapshot.ts';
import { prepareSealing } from '../../src/snapshot/seal.ts';
import { encodeManifest } from '../../src/manifest/manifest.ts';
import { placeAt, sampleManifest } from '../support/sample-backup.ts';
import { surveyedMember } from '../support/scripted-etcd.ts';

describe('the member of a manifest', () => {
  it('has its id as etcd prints it, its role and its place in the raft log', () => {
    expect(describeMember(surveyedMember({ id: 0xabcn, status: { raftTerm: 5n, raftIndex: 2n ** 60n } }))).toEqual({
      id: '0000000000000abc',
      name: 'm1',
      version: '3.6.16',
      role: 'follower',
      raftTerm: '5',
      raftIndex: '1152921504606846976',
    });
  });

  it.each([
    ['leader', {}],
    ['follower', { status: { leaderId: 2n } }],
    ['learner', { isLearner: true }],
  ])('is a %s', (role, script) => {
    expect(describeMember(surveyedMember(script)).role).toBe(role);
  });

  it('fits into the manifest, however long its name is', () => {
    const name = 'm'.repeat(5000);
    const place = placeAt('2026-11-24T14:00:00Z');
    const live = {
      member: name,
      version: name,
      result: 'unreachable',
      hash: undefined,
      compactRevision: undefined,
      reason: name,
    } as const;
    const member = describeMember(surveyedMember({ name, status: { version: name } }));
    const manifest = sampleManifest(place, { member, liveMembers: [describeLiveHash(live)] });
    expect(() => encodeManifest(manifest)).not.toThrow();
  });
});

it('a snapshot that is not sealed says so in one word', async () => {
  const sealing = { compression: { algorithm: 'none' }, encryption: 'none' } as const;
  expect(describeEncryption(await prepareSealing(sealing, new AbortController().signal), {})).toBe('none');
});
