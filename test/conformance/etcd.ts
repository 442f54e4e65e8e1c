import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Etcd, EtcdMember } from '../../src/ports/etcd.ts';
import { collect } from '../support/byte-streams.ts';

export interface EtcdSubject extends AsyncDisposable {
  readonly etcd: Etcd;
  readonly memberCount: number;
}

/** What every implementation of the port holds to, on a healthy cluster of started voters. */
export function describeEtcdConformance(name: string, makeSubject: () => Promise<EtcdSubject>): void {
  describe(`etcd port: ${name}`, () => {
    const { signal } = new AbortController();
    let subject: EtcdSubject;

    beforeAll(async () => {
      subject = await makeSubject();
    });
    afterAll(async () => {
      await subject[Symbol.asyncDispose]();
    });

    async function connectAny(): Promise<EtcdMember> {
      const [member] = (await subject.etcd.discover(signal)).members;
      if (member === undefined) throw new Error('no member was discovered');
      return subject.etcd.connect(member);
    }

    test('lists each member once, with a name, an id and a URL', async () => {
      const view = await subject.etcd.discover(signal);
      expect(view.members).toHaveLength(subject.memberCount);
      expect(new Set(view.members.map((member) => member.id)).size).toBe(subject.memberCount);
      expect(view.clusterId).toBeGreaterThan(0n);
      expect(view.skipped).toEqual([]);
      for (const member of view.members) {
        expect(member).toMatchObject({ name: expect.stringMatching(/./) as unknown, isLearner: false });
        expect(member.endpoint).toMatch(/^https?:\/\/[^/]+:\d+$/);
      }
    });

    test('every member answers for itself, under its own id and that of the cluster', async () => {
      const view = await subject.etcd.discover(signal);
      for (const member of view.members) {
        await using client = subject.etcd.connect(member);
        const status = await client.status(signal);
        expect(status).toMatchObject({ memberId: member.id, clusterId: view.clusterId, isLearner: false, errors: [] });
        expect(status.version).toMatch(/^3\.\d+\.\d+/);
        expect(view.members.map(({ id }) => id)).toContain(status.leaderId);
        expect(status.dbSizeBytes).toBeGreaterThanOrEqual(status.dbSizeInUseBytes);
        expect(status.raftIndex).toBeGreaterThanOrEqual(status.raftAppliedIndex);
      }
    });

    test('reads a revision that the members have or will have', async () => {
      await using client = await connectAny();
      const revision = await client.readRevision(signal);
      expect(revision).toBeGreaterThanOrEqual(1n);
      expect((await client.status(signal)).revision).toBeGreaterThanOrEqual(revision);
    });

    test('reports no alarm', async () => {
      await using client = await connectAny();
      expect(await client.alarms(signal)).toEqual([]);
    });

    test('every member knows the same members', async () => {
      const { members } = await subject.etcd.discover(signal);
      const expected = members.map((member) => ({ id: member.id, name: member.name, isLearner: member.isLearner }));
      for (const member of members) {
        await using client = subject.etcd.connect(member);
        const known = await client.memberList(signal);
        expect(known).toHaveLength(expected.length);
        expect(known).toEqual(expect.arrayContaining(expected));
      }
    });

    test('disarms one alarm only, raised or not, and refuses what would stand for all', async () => {
      await using client = await connectAny();
      const memberId = client.member.id;
      await client.disarm({ memberId, type: 'NOSPACE' }, signal);
      expect(await client.alarms(signal)).toEqual([]);
      for (const wildcard of [
        { memberId: 0n, type: 'NOSPACE' },
        { memberId, type: 'UNKNOWN' },
      ] as const) {
        await expect(client.disarm(wildcard, signal)).rejects.toMatchObject({ code: 'internal' });
      }
    });

    test('a defragmented member holds what it held, in no more space', async () => {
      await using client = await connectAny();
      const revision = await client.readRevision(signal);
      const [before, hash] = [await client.status(signal), await client.hashKv(revision, signal)];
      await client.defragment({ timeoutMs: 30_000 }, signal);
      const after = await client.status(signal);
      // A database that has nothing to give back may gain the pages of bbolt's own lists.
      expect(after.dbSizeBytes).toBeLessThanOrEqual(before.dbSizeBytes + 64 * 1024);
      expect(after).toMatchObject({ memberId: before.memberId, revision: before.revision });
      expect(await client.hashKv(revision, signal)).toEqual(hash);
    });

    test('leadership cannot go to a member that does not exist', async () => {
      const { members } = await subject.etcd.discover(signal);
      for (const member of members) {
        await using client = subject.etcd.connect(member);
        await expect(client.moveLeader(99n, signal)).rejects.toMatchObject({ code: 'etcd-call-failed' });
      }
    });

    test('hashes the keys at a revision and says whose hash it is', async () => {
      await using client = await connectAny();
      const revision = await client.readRevision(signal);
      const answer = await client.hashKv(revision, signal);
      expect(answer).toMatchObject({ memberId: client.member.id, currentRevision: revision });
      expect([undefined, revision]).toContain(answer.hashRevision);
      expect(await client.hashKv(revision, signal)).toEqual(answer);
    });

    test('refuses to hash a revision that does not exist yet', async () => {
      await using client = await connectAny();
      const revision = (await client.readRevision(signal)) + 1_000_000n;
      await expect(client.hashKv(revision, signal)).rejects.toMatchObject({ code: 'etcd-future-revision' });
    });

    // field: F001
    test('streams a snapshot of the announced length that ends in the SHA-256 of the rest', async () => {
      await using client = await connectAny();
      await using stream = await client.openSnapshot({ idleTimeoutMs: 10_000 }, signal);
      const bytes = await collect(stream);
      expect(bytes).toHaveLength(stream.totalBytes);
      expect(bytes.subarray(-32)).toEqual(createHash('sha256').update(bytes.subarray(0, -32)).digest());
    });

    test('a stream can be left, released twice, and the member still serves', async () => {
      await using client = await connectAny();
      const stream = await client.openSnapshot({ idleTimeoutMs: 10_000 }, signal);
      await stream[Symbol.asyncDispose]();
      await stream[Symbol.asyncDispose]();
      await expect(collect(stream)).rejects.toMatchObject({ code: 'stream-interrupted' });
      await client.status(signal);
    });

    test('an aborted signal rejects every call as interrupted', async () => {
      await using client = await connectAny();
      const aborted = AbortSignal.abort();
      const calls = [
        subject.etcd.discover(aborted),
        client.status(aborted),
        client.readRevision(aborted),
        client.alarms(aborted),
        client.hashKv(1n, aborted),
        client.memberList(aborted),
        client.defragment({ timeoutMs: 10_000 }, aborted),
        client.moveLeader(1n, aborted),
        client.disarm({ memberId: 1n, type: 'NOSPACE' }, aborted),
        client.openSnapshot({ idleTimeoutMs: 10_000 }, aborted),
      ];
      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'interrupted' } });
      }
    });

    test('calls of one client may run side by side', async () => {
      await using client = await connectAny();
      const [status, revision, alarms] = await Promise.all([
        client.status(signal),
        client.readRevision(signal),
        client.alarms(signal),
      ]);
      expect(status.revision).toBeGreaterThanOrEqual(revision);
      expect(alarms).toEqual([]);
    });
  });
}
