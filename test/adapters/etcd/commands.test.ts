import { create } from '@bufbuild/protobuf';
import { status as grpcStatus } from '@grpc/grpc-js';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  AlarmRequest_AlarmAction,
  AlarmRequestSchema,
  AlarmType,
  MoveLeaderRequestSchema,
} from '../../../src/adapters/etcd/generated/etcd_pb.ts';
import type { EtcdMember } from '../../../src/ports/etcd.ts';
import { fakeMemberId, type FakeEtcd, refusal, startFakeEtcd } from '../../support/fake-etcd.ts';
import { framed, grpcHeaders, startRawGrpcServer } from '../../support/raw-grpc-server.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { etcdFor, memberAt, never } from './connect.ts';

const patient = { timeoutMs: 60_000 };
const namesOf = (fake: FakeEtcd): readonly string[] => fake.calls.map(({ name }) => name);

/** A client for the fake with the id that the member list gave it. */
function memberWithId(fake: FakeEtcd, id: bigint): EtcdMember {
  const etcd = etcdFor({ endpoints: [fake.endpoint], certificates: undefined });
  return etcd.connect({ id, name: 'm1', isLearner: false, endpoint: fake.endpoint });
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a call that changes a member', () => {
  // field: F050
  test('is not sent to another member than the one meant', async () => {
    await using fake = await startFakeEtcd();
    await using member = memberWithId(fake, 0xbadn);
    for (const call of [member.defragment(patient, never), member.moveLeader(1n, never)]) {
      await expect(call).rejects.toMatchObject({
        code: 'etcd-member-mismatch',
        message: expect.stringMatching(/member a1, expected bad; \w+ was not sent$/) as unknown,
        details: { sent: false },
      });
    }
    expect(namesOf(fake)).toEqual(['Status', 'Status']);
  });

  // field: F050
  test('goes where the member said who it is, and nowhere if that connection was lost meanwhile', async () => {
    await using server = await startRawGrpcServer((stream) => {
      stream.respond(grpcHeaders, { waitForTrailers: true });
      stream.on('wantTrailers', () => {
        stream.sendTrailers({ 'grpc-status': '0' });
        // The next connection might lead to another member.
        stream.session?.close();
      });
      stream.end(framed(Buffer.from('0a0408011001', 'hex')));
    });
    await using member = memberAt(server.endpoint);
    await expect(member.defragment(patient, never)).rejects.toMatchObject({ code: 'etcd-unreachable' });
    expect(server.paths).toEqual(['/etcdserverpb.Maintenance/Status']);
  });

  test.each([
    [grpcStatus.UNKNOWN, 'write /var/lib/etcd/member/snap/db.tmp: no space left on device', 'etcd-call-failed'],
    [grpcStatus.FAILED_PRECONDITION, 'etcdserver: rpc not supported for learner', 'etcd-call-failed'],
    [grpcStatus.PERMISSION_DENIED, 'etcdserver: permission denied', 'etcd-permission-denied'],
    [grpcStatus.UNAVAILABLE, 'transport is closing', 'etcd-unreachable'],
    [grpcStatus.DEADLINE_EXCEEDED, 'context deadline exceeded', 'etcd-deadline'],
  ])('is sent once whatever the answer is: status %i, "%s" becomes %s', async (code, details, expected) => {
    await using fake = await startFakeEtcd({ defragment: () => Promise.reject(refusal(code, details)) });
    await using member = memberWithId(fake, fakeMemberId);
    await expect(member.defragment(patient, never)).rejects.toMatchObject({
      code: expected,
      message: expect.stringContaining(`refused Defragment: ${details}`) as unknown,
    });
    expect(namesOf(fake)).toEqual(['Status', 'Defragment']);
  });

  // field: F067
  test('ends at its deadline or with the run, while the member works on', async () => {
    const work = Promise.withResolvers<object>();
    const began = Promise.withResolvers<void>();
    await using fake = await startFakeEtcd({
      defragment: () => {
        began.resolve();
        return work.promise;
      },
    });
    await using member = memberWithId(fake, fakeMemberId);
    await expect(member.defragment({ timeoutMs: 300 }, never)).rejects.toMatchObject({
      code: 'etcd-deadline',
      message: `${fake.endpoint} did not answer Defragment within 0.3 s`,
    });
    const stop = new AbortController();
    const interrupted = member.defragment(patient, stop.signal);
    await began.promise;
    await vi.waitFor(() => expect(namesOf(fake)).toHaveLength(4));
    stop.abort();
    await expect(interrupted).rejects.toMatchObject({ code: 'interrupted' });
    work.resolve({});
    expect(namesOf(fake)).toEqual(['Status', 'Defragment', 'Status', 'Defragment']);
  });

  test('that was never sent since the member does not answer says so', async () => {
    await using fake = await startFakeEtcd({ status: () => new Promise(() => undefined) });
    await using member = memberWithId(fake, fakeMemberId);
    await expect(member.defragment({ timeoutMs: 200 }, never)).rejects.toMatchObject({
      code: 'etcd-deadline',
      message: `${fake.endpoint} did not answer Status within 0.2 s; Defragment was not sent`,
      details: { sent: false },
    });
  });
});

describe('while a member defragments', () => {
  // field: F056
  test('one that answers pings is waited for, and one that no longer does is given up', async () => {
    const began = Promise.withResolvers<void>();
    await using fake = await startFakeEtcd({
      defragment: () => {
        began.resolve();
        return new Promise(() => undefined);
      },
    });
    await using proxy = await startTcpProxy(fake.endpoint);
    await using member = memberAt(`http://${proxy.address}`);
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const outcome = member.defragment({ timeoutMs: 3_600_000 }, never).catch((error: unknown) => error);
    await began.promise;
    for (let ping = 0; ping < 5; ping += 1) {
      const before = proxy.downstreamBytes();
      vi.advanceTimersByTime(7_000);
      // A frame of nine bytes with a payload of eight: RFC 9113, section 6.7.
      await vi.waitFor(() => expect(proxy.downstreamBytes()).toBeGreaterThanOrEqual(before + 17));
    }
    proxy.set({ kind: 'blackhole' });
    vi.advanceTimersByTime(14_000);
    expect(await outcome).toMatchObject({
      code: 'etcd-deadline',
      message: `http://${proxy.address} answered no ping for 7 s during Defragment`,
    });
    expect(namesOf(fake)).toEqual(['Status', 'Defragment']);
  });
});

describe('with a token that is no longer taken', () => {
  const auth = { username: 'root', readPassword: () => Promise.resolve('pw') };

  test('a defragmentation is carried out once, by the call after another login', async () => {
    let tokens = 0;
    let carriedOut = 0;
    await using fake = await startFakeEtcd({
      authenticate: () => ({ token: `t${(tokens += 1)}` }),
      // As etcd does: refused before any work is begun.
      defragment: () => {
        if (fake.calls.at(-1)?.token === 't1') {
          return Promise.reject(refusal(grpcStatus.UNAUTHENTICATED, 'etcdserver: invalid auth token'));
        }
        carriedOut += 1;
        return Promise.resolve({});
      },
    });
    await using member = memberAt(fake.endpoint, { auth });
    await member.defragment(patient, never);
    expect(carriedOut).toBe(1);
    expect(fake.calls.map(({ name, token }) => [name, token])).toEqual([
      ['Authenticate', undefined],
      ['Status', 't1'],
      ['Defragment', 't1'],
      ['Authenticate', undefined],
      ['Status', 't2'],
      ['Defragment', 't2'],
    ]);
  });

  test('a defragmentation that failed in its work is not sent again', async () => {
    await using fake = await startFakeEtcd({
      defragment: () => Promise.reject(refusal(grpcStatus.UNKNOWN, 'open db.tmp: permission denied')),
    });
    await using member = memberAt(fake.endpoint, { auth });
    // The file system of the member, not etcd, denies this permission.
    await expect(member.defragment(patient, never)).rejects.toMatchObject({ code: 'etcd-call-failed' });
    expect(namesOf(fake)).toEqual(['Authenticate', 'Status', 'Defragment']);
  });
});

describe('disarming', () => {
  // field: F078
  test('names the member and the type, and never all of them', async () => {
    await using fake = await startFakeEtcd();
    await using member = memberAt(fake.endpoint);
    await member.disarm({ memberId: 2n ** 64n - 1n, type: 'NOSPACE' }, never);
    await expect(member.disarm({ memberId: 0n, type: 'NOSPACE' }, never)).rejects.toMatchObject({ code: 'internal' });
    await expect(member.disarm({ memberId: 7n, type: 'UNKNOWN' }, never)).rejects.toMatchObject({ code: 'internal' });
    expect(fake.calls.map(({ request }) => request)).toEqual([
      create(AlarmRequestSchema, {
        action: AlarmRequest_AlarmAction.DEACTIVATE,
        memberID: 2n ** 64n - 1n,
        alarm: AlarmType.NOSPACE,
      }),
    ]);
  });
});

describe('moving the leader', () => {
  test('names the target', async () => {
    await using fake = await startFakeEtcd();
    await using member = memberAt(fake.endpoint);
    await member.moveLeader(fakeMemberId, never);
    expect(fake.calls.map(({ request }) => request).at(-1)).toEqual(
      create(MoveLeaderRequestSchema, { targetID: fakeMemberId }),
    );
  });

  test('that etcd gave up has failed; it is not a call that may still succeed', async () => {
    const details = 'etcdserver: request timed out, leader transfer took too long';
    await using fake = await startFakeEtcd({
      moveLeader: () => {
        throw refusal(grpcStatus.UNAVAILABLE, details);
      },
    });
    await using member = memberAt(fake.endpoint);
    await expect(member.moveLeader(1n, never)).rejects.toMatchObject({ code: 'etcd-call-failed' });
  });
});
