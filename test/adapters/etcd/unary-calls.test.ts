import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { status as grpcStatus } from '@grpc/grpc-js';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { AlarmType } from '../../../src/adapters/etcd/generated/etcd_pb.ts';
import { fakeClusterId, fakeMemberId, refusal, startFakeEtcd } from '../../support/fake-etcd.ts';
import { framed, grpcHeaders, startRawGrpcServer } from '../../support/raw-grpc-server.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { etcdFor, memberAt, never } from './connect.ts';
import { startMortalPeer } from './mortal-peer.ts';

describe('a unary call', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  test.each([
    [grpcStatus.UNAVAILABLE, 'etcdserver: no leader', 'etcd-no-leader'],
    [
      grpcStatus.UNAVAILABLE,
      'etcdserver: request timed out, possibly due to previous leader failure',
      'etcd-no-leader',
    ],
    [grpcStatus.UNAVAILABLE, 'etcdserver: request timed out', 'etcd-deadline'],
    [grpcStatus.UNAVAILABLE, 'etcdserver: server stopped', 'etcd-unreachable'],
    [grpcStatus.DEADLINE_EXCEEDED, 'context deadline exceeded', 'etcd-deadline'],
    [grpcStatus.PERMISSION_DENIED, 'etcdserver: permission denied', 'etcd-permission-denied'],
    [grpcStatus.UNAUTHENTICATED, 'etcdserver: invalid auth token', 'etcd-auth-failed'],
    [grpcStatus.INVALID_ARGUMENT, 'etcdserver: user name is empty', 'etcd-auth-required'],
    [grpcStatus.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted', 'etcd-compacted'],
    [grpcStatus.FAILED_PRECONDITION, 'etcdserver: rpc not supported for learner', 'etcd-call-failed'],
    [grpcStatus.UNAVAILABLE, 'etcdserver: rpc not supported for learner', 'etcd-call-failed'],
    [grpcStatus.UNKNOWN, 'auth: permission denied', 'etcd-permission-denied'],
    [grpcStatus.UNKNOWN, 'open /var/lib/etcd/db.tmp: permission denied', 'etcd-call-failed'],
    [grpcStatus.UNIMPLEMENTED, 'unknown method: 100 % new', 'etcd-call-failed'],
  ])('is sent once, whatever the answer is: status %i, "%s" becomes %s', async (code, details, expected) => {
    await using fake = await startFakeEtcd({
      hashKV: () => {
        throw refusal(code, details);
      },
    });
    await using member = memberAt(fake.endpoint);
    await expect(member.hashKv(5n, never)).rejects.toMatchObject({
      code: expected,
      message: expect.stringContaining(`${fake.endpoint} refused HashKV: ${details}`) as unknown,
      details: { grpcStatus: code, grpcMessage: details },
    });
    expect(fake.calls.map(({ name }) => name)).toEqual(['HashKV']);
  });

  // field: F050
  test('an answer of another member is refused', async () => {
    await using fake = await startFakeEtcd();
    const etcd = etcdFor({ endpoints: [fake.endpoint], certificates: undefined });
    await using member = etcd.connect({ id: 0xbadn, name: 'm1', isLearner: false, endpoint: fake.endpoint });
    const calls = [member.status(never), member.alarms(never), member.readRevision(never), member.hashKv(1n, never)];
    for (const outcome of await Promise.allSettled(calls)) {
      const reason = {
        code: 'etcd-member-mismatch',
        message: expect.stringMatching(/member a1, expected bad/) as unknown,
      };
      expect(outcome).toMatchObject({ status: 'rejected', reason });
    }
  });

  test('an answer of another cluster is refused', async () => {
    await using one = await startFakeEtcd();
    await using other = await startFakeEtcd({
      alarm: () => ({ header: { clusterId: 0xc2n, memberId: fakeMemberId } }),
    });
    const etcd = etcdFor(
      { endpoints: [one.endpoint, other.endpoint], certificates: undefined },
      { discovery: 'static' },
    );
    const second = (await etcd.discover(never)).members.find(({ endpoint }) => endpoint === other.endpoint);
    if (second === undefined) throw new Error('the second endpoint is not a member');
    await using member = etcd.connect(second);
    await expect(member.alarms(never)).rejects.toMatchObject({ code: 'etcd-cluster-mismatch' });
  });

  test('an answer that does not say whose it is is refused', async () => {
    await using fake = await startFakeEtcd({ alarm: () => ({}) });
    await using member = memberAt(fake.endpoint);
    await expect(member.alarms(never)).rejects.toMatchObject({ code: 'etcd-answer-invalid' });
  });

  test('names alarms, also those that a later etcd may add', async () => {
    const header = { clusterId: fakeClusterId, memberId: fakeMemberId };
    await using fake = await startFakeEtcd({
      alarm: () => ({
        header,
        alarms: [1, 2, 9].map((alarm) => ({ memberID: 2n ** 64n - 1n, alarm: alarm as AlarmType })),
      }),
    });
    await using member = memberAt(fake.endpoint);
    expect(await member.alarms(never)).toEqual(
      ['NOSPACE', 'CORRUPT', 'UNKNOWN'].map((type) => ({ memberId: 2n ** 64n - 1n, type })),
    );
  });

  test('an abort ends a call that the member does not answer, with the reason that was given', async () => {
    const stop = new AbortController();
    await using fake = await startFakeEtcd({
      status: () => {
        stop.abort();
        return new Promise(() => undefined);
      },
    });
    await using member = memberAt(fake.endpoint);
    await expect(member.status(stop.signal)).rejects.toMatchObject({ code: 'interrupted' });
  });

  test('a proxy named in the environment is not used', async () => {
    for (const name of ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'all_proxy', 'grpc_proxy'])
      vi.stubEnv(name, 'http://127.0.0.1:1');
    await using fake = await startFakeEtcd();
    await using member = memberAt(fake.endpoint);
    expect(await member.readRevision(never)).toBe(7n);
  });

  // field: F056
  test('a lost connection costs the call that was on it, not the ones after it', async () => {
    let answers = 0;
    await using server = await startRawGrpcServer((stream) => {
      answers += 1;
      if (answers === 1) return stream.session?.destroy();
      // Header: cluster 1, member 1.
      stream.respond(grpcHeaders, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      return stream.end(framed(Buffer.from('0a0408011001', 'hex')));
    });
    await using member = memberAt(server.endpoint);
    await expect(member.alarms(never)).rejects.toMatchObject({ code: 'etcd-unreachable' });
    expect(await member.alarms(never)).toEqual([]);
    expect(server.paths).toHaveLength(2);
  });

  // field: F056
  test('a connection that lay idle is replaced, since the network may have forgotten it', async () => {
    await using fake = await startFakeEtcd();
    await using proxy = await startTcpProxy(fake.endpoint);
    await using member = memberAt(`http://${proxy.address}`);
    await member.status(never);
    await member.status(never);
    expect(proxy.connections()).toBe(1);
    const nowMs = performance.now();
    vi.spyOn(performance, 'now').mockReturnValue(nowMs + 11_000);
    await member.status(never);
    expect(proxy.connections()).toBe(2);
  });

  test('calls that begin together share one connection, however long the process has run', async () => {
    vi.spyOn(performance, 'now').mockReturnValue(3_600_000);
    await using fake = await startFakeEtcd();
    await using proxy = await startTcpProxy(fake.endpoint);
    await using member = memberAt(`http://${proxy.address}`);
    await Promise.all([member.status(never), member.readRevision(never), member.status(never)]);
    expect(proxy.connections()).toBe(1);
  });

  // field: F056
  test('leaves no socket behind, even to a peer that has died without a word', async () => {
    const sockets: Socket[] = [];
    const note = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
    await using fake = await startFakeEtcd();
    await using peer = await startMortalPeer(fake.endpoint);
    subscribe('net.client.socket', note);
    try {
      await using member = memberAt(peer.endpoint);
      await member.status(never);
      expect(sockets.filter((socket) => socket.remotePort === peer.port)).toHaveLength(1);
      peer.die();
      // The connection has lain idle: it is retired, and the member does not give another.
      const nowMs = performance.now();
      vi.spyOn(performance, 'now').mockReturnValue(nowMs + 11_000);
      const stop = new AbortController();
      const waiting = member.status(stop.signal);
      await vi.waitFor(() => expect(peer.connections()).toBe(2));
      stop.abort();
      await expect(waiting).rejects.toMatchObject({ code: 'interrupted' });
    } finally {
      unsubscribe('net.client.socket', note);
    }
    // Those of the peer to the server behind it live on.
    const open = sockets.filter((socket) => !socket.destroyed && socket.remotePort === peer.port);
    expect(open).toEqual([]);
  });

  test.each([
    [
      'a balancer without members',
      { ':status': 503, 'content-type': 'text/html' },
      'etcd-unreachable',
      /HTTP status 503/,
    ],
    ['a web server', { ':status': 200, 'content-type': 'text/html' }, 'etcd-answer-invalid', /text\/html/],
    ['an answer without a status', grpcHeaders, 'etcd-unreachable', /ended during Alarm/],
    [
      'a status only',
      { ...grpcHeaders, 'grpc-status': '7', 'grpc-message': 'no%20way%' },
      'etcd-permission-denied',
      /no%20way%/,
    ],
    [
      'a status of percent-encoded text',
      { ...grpcHeaders, 'grpc-status': '7', 'grpc-message': 'no%20way' },
      'etcd-permission-denied',
      /no way/,
    ],
    [
      'no message though all is well',
      { ...grpcHeaders, 'grpc-status': '0' },
      'etcd-answer-invalid',
      /not one gRPC message/,
    ],
  ])('%s is told apart', async (_, headers, code, message) => {
    await using server = await startRawGrpcServer((stream) => stream.respond(headers, { endStream: true }));
    await using member = memberAt(server.endpoint);
    await expect(member.alarms(never)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as unknown,
    });
    expect(server.paths).toEqual(['/etcdserverpb.Maintenance/Alarm']);
  });
});
