import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createMemberMetrics } from '../../../src/adapters/etcd/member-metrics.ts';
import type { Member } from '../../../src/ports/etcd.ts';
import { wardenError } from '../../support/errors.ts';
import { type Cluster, startCluster } from '../../support/etcd.ts';
import { freePorts } from '../../support/process.ts';
import { etcdFor, never } from './connect.ts';
import { holdSnapshot, startFilledCluster } from './filled-cluster.ts';

async function onlyMember(cluster: Cluster): Promise<Member> {
  const [member] = (await etcdFor(cluster).discover(never)).members;
  if (member === undefined) throw new Error('a cluster without members');
  return member;
}

const metrics = createMemberMetrics({ location: 'auto' });

describe.each(['3.5', '3.6', '3.7'] as const)('metrics of a member of etcd %s', (version) => {
  test('tell of open snapshot streams and of a defragmentation, also while it goes on', async () => {
    await using cluster = await startFilledCluster({ version });
    const member = await onlyMember(cluster);
    expect(await metrics.read(member, never)).toEqual({
      quotaBytes: 2 ** 31,
      openSnapshots: 0,
      raftSnapshotsInFlight: 0,
      openReadTransactions: expect.any(Number) as unknown,
      isDefragmenting: false,
    });
    const etcd = etcdFor(cluster);
    await using client = etcd.connect(member);
    const stream = await holdSnapshot(client);
    expect(await metrics.read(member, never)).toMatchObject({ openSnapshots: 1, isDefragmenting: false });
    await using other = etcd.connect(member);
    const work = other.defragment({ timeoutMs: 30_000 }, never);
    await vi.waitFor(
      async () => expect(await metrics.read(member, never)).toMatchObject({ isDefragmenting: true }),
      10_000,
    );
    expect(await metrics.read(member, never)).toMatchObject({ openSnapshots: 1, quotaBytes: 2 ** 31 });
    await stream[Symbol.asyncDispose]();
    await work;
    await vi.waitFor(
      async () => expect(await metrics.read(member, never)).toMatchObject({ openSnapshots: 0, isDefragmenting: false }),
      5_000,
    );
  });

  test('are served with mutual TLS at the client URL, and in plain HTTP where a template says', async () => {
    await using cluster = await startCluster({ version, tls: 'mtls' });
    const { certificates, members } = cluster;
    if (certificates === undefined) throw new Error('a cluster without certificates');
    const tls = { caFile: certificates.caFile, ...certificates.client };
    const member = await onlyMember(cluster);
    const facts = { quotaBytes: 2 ** 31, openSnapshots: 0, isDefragmenting: false };
    expect(await createMemberMetrics({ location: 'auto', tls }).read(member, never)).toMatchObject(facts);
    const location = `${members[0]?.metricsUrl.replace('127.0.0.1', '{host}')}/metrics`;
    expect(await createMemberMetrics({ location }).read(member, never)).toMatchObject(facts);
  });

  // field: F082
  test.each([
    ['0', 2 ** 31],
    ['8589934592', 2 ** 33],
    ['-1', -1],
  ])('tell a quota of %s as %i bytes', async (flag, quotaBytes) => {
    await using cluster = await startCluster({ version, args: [`--quota-backend-bytes=${flag}`] });
    expect(await metrics.read(await onlyMember(cluster), never)).toMatchObject({ quotaBytes });
  });
});

// field: F055
describe('metrics with mutual TLS', () => {
  let cluster: Cluster;
  let member: Member;
  beforeAll(async () => {
    cluster = await startCluster({ tls: 'mtls' });
    member = await onlyMember(cluster);
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  function failureWith(
    change: (its: NonNullable<Cluster['certificates']>) => object,
    location = 'auto',
  ): Promise<unknown> {
    const { certificates } = cluster;
    if (certificates === undefined) throw new Error('a cluster without certificates');
    const tls = { caFile: certificates.caFile, ...certificates.client, ...change(certificates) };
    return createMemberMetrics({ location, tls })
      .read(member, never)
      .catch((error: unknown) => error);
  }

  test.each([
    [
      'without a client certificate',
      () => ({ certFile: undefined, keyFile: undefined }),
      'etcd-tls-client-certificate',
    ],
    ['with a stranger’s client certificate', ({ strangeClient }) => strangeClient, 'etcd-tls-client-certificate'],
    ['with another CA', ({ strangeCaFile }) => ({ caFile: strangeCaFile }), 'etcd-tls-unknown-ca'],
    ['with another server name', () => ({ serverName: 'elsewhere' }), 'etcd-tls-name-mismatch'],
  ] as const satisfies readonly (readonly [string, Parameters<typeof failureWith>[0], string])[])(
    'are not read %s',
    async (_, change, code) => {
      expect(await failureWith(change)).toEqual(wardenError(code, 'the metrics of member m1', member.endpoint ?? ''));
    },
  );

  test('are not read in plain HTTP from a port that speaks TLS, nor with TLS from one that does not', async () => {
    const clientPort = new URL(member.endpoint ?? '').port;
    const metricsPort = new URL(cluster.members[0]?.metricsUrl ?? '').port;
    const unchanged = (): object => ({});
    expect(await failureWith(unchanged, `http://{host}:${clientPort}/metrics`)).toEqual(
      wardenError('etcd-tls-required'),
    );
    expect(await failureWith(unchanged, `https://{host}:${metricsPort}/metrics`)).toEqual(
      wardenError('etcd-tls-plain-server'),
    );
  });
});

test('a client URL that etcd keeps for gRPC alone serves none: the error says where to look', async () => {
  const [port] = await freePorts(1);
  await using cluster = await startCluster({ args: [`--listen-client-http-urls=http://127.0.0.1:${port}`] });
  const member = await onlyMember(cluster);
  const error: unknown = await metrics.read(member, never).catch((thrown: unknown) => thrown);
  expect(error).toEqual(wardenError('etcd-answer-invalid', `${member.endpoint}/metrics`));
  expect(error).toMatchObject({ hint: expect.stringContaining('--listen-client-http-urls') as unknown });
  const elsewhere = createMemberMetrics({ location: `http://{host}:${port}/metrics` });
  expect(await elsewhere.read(member, never)).toMatchObject({ isDefragmenting: false });
});
