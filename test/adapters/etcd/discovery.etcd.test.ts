import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EtcdOptions } from '../../../src/adapters/etcd/etcd.ts';
import { collect } from '../../support/byte-streams.ts';
import { wardenError } from '../../support/errors.ts';
import { freePorts } from '../../support/process.ts';
import { type Cluster, startCluster } from '../../support/etcd.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { etcdFor, never } from './connect.ts';

describe('discovering a cluster of three', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ members: 3 });
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  const urlOf = (name: string): string => cluster.members.find((member) => member.name === name)?.endpoint ?? '';

  test('one endpoint is enough to find all members', async () => {
    const etcd = etcdFor({ endpoints: [`${urlOf('m2')}/`], certificates: undefined });
    const { members } = await etcd.discover(never);
    const found = new Map(members.map(({ name, endpoint }) => [name, endpoint]));
    expect(found).toEqual(new Map(cluster.members.map(({ name, endpoint }) => [name, endpoint])));
  });

  // field: F049
  test('a blackhole and a closed port before a living endpoint cost their dial limit and are reported', async () => {
    await using blackhole = await startTcpProxy(urlOf('m1'));
    blackhole.set({ kind: 'blackhole' });
    const [closedPort] = await freePorts(1);
    const dead = [`http://${blackhole.address}`, `http://127.0.0.1:${closedPort}`];
    const startedMs = performance.now();
    const view = await etcdFor({ endpoints: [...dead, urlOf('m3')], certificates: undefined }).discover(never);
    expect(performance.now() - startedMs).toBeLessThan(8_000);
    expect(view.members).toHaveLength(3);
    expect(view.skipped.map(({ endpoint }) => endpoint)).toEqual(dead);
    for (const { error } of view.skipped) expect(error).toMatchObject({ code: 'etcd-unreachable' });
  });

  test('when no endpoint answers the error lists each with its reason', async () => {
    const [one, two] = await freePorts(2);
    const endpoints = [`http://127.0.0.1:${one}`, `http://localhost:${two}`, 'http://no-such-host.invalid:2379'];
    for (const discovery of ['members', 'static'] as const) {
      await expect(
        etcdFor({ endpoints, certificates: undefined }, { discovery }).discover(never),
      ).rejects.toMatchObject({
        code: 'etcd-unreachable',
        message: expect.stringMatching(
          new RegExp(`^no endpoint answered: .*${one}.*ECONNREFUSED.*${two}.*no-such-host.invalid.*ENOTFOUND`),
        ) as unknown,
      });
    }
  });

  test('endpointMap replaces advertised URLs', async () => {
    await using proxy = await startTcpProxy(urlOf('m1'));
    const mapped = `http://${proxy.address}`;
    const etcd = etcdFor(cluster, { endpointMap: new Map([[`${urlOf('m1')}/`, mapped]]) });
    const first = (await etcd.discover(never)).members.find(({ name }) => name === 'm1');
    expect(first?.endpoint).toBe(mapped);
    if (first === undefined) return;
    await using client = etcd.connect(first);
    expect((await client.status(never)).memberId).toBe(first.id);
    expect(proxy.connections()).toBe(1);
  });

  // field: F050
  test('a URL that leads to another member than the one it is mapped for is noticed', async () => {
    const etcd = etcdFor(cluster, { endpointMap: new Map([[urlOf('m1'), urlOf('m2')]]) });
    const first = (await etcd.discover(never)).members.find(({ name }) => name === 'm1');
    if (first === undefined) throw new Error('m1 was not discovered');
    await using client = etcd.connect(first);
    await expect(client.status(never)).rejects.toMatchObject({ code: 'etcd-member-mismatch' });
  });

  test('with static discovery the endpoints are the members, dead ones too', async () => {
    const [closedPort] = await freePorts(1);
    const endpoints = [`http://127.0.0.1:${closedPort}`, urlOf('m1'), urlOf('m2')];
    const view = await etcdFor({ endpoints, certificates: undefined }, { discovery: 'static' }).discover(never);
    expect(view.members.map(({ endpoint, id }) => ({ endpoint, id }))).toEqual(
      endpoints.map((endpoint) => ({ endpoint, id: 0n })),
    );
    expect(view.skipped.map(({ endpoint }) => endpoint)).toEqual(endpoints.slice(0, 1));
    expect(view.clusterId).toBeGreaterThan(0n);
  });
});

describe('endpoints of two clusters', () => {
  let one: Cluster;
  let other: Cluster;
  beforeAll(async () => {
    [one, other] = await Promise.all([startCluster(), startCluster()]);
  });
  afterAll(async () => {
    await Promise.all([one[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
  });

  const clusterIdOf = async (cluster: Cluster): Promise<string> =>
    (await etcdFor(cluster).discover(never)).clusterId.toString(16);

  test.each(['members', 'static'] as const)('are refused, and told apart, with discovery %s', async (discovery) => {
    const endpoints = [...other.endpoints, ...one.endpoints];
    const error: unknown = await etcdFor({ endpoints, certificates: undefined }, { discovery })
      .discover(never)
      .catch((thrown: unknown) => thrown);
    expect(error).toEqual(
      wardenError(
        'etcd-cluster-mismatch',
        `${endpoints[0]} belongs to cluster ${await clusterIdOf(other)}`,
        `${endpoints[1]} belongs to cluster ${await clusterIdOf(one)}`,
      ),
    );
  });

  test('are found whether or not further ones answer, and those are not waited for long', async () => {
    await using blackhole = await startTcpProxy(one.endpoints[0] ?? '');
    blackhole.set({ kind: 'blackhole' });
    const [closedPort] = await freePorts(1);
    const silent = [`http://${blackhole.address}`, `http://127.0.0.1:${closedPort}`];
    const discoverWith = (...more: readonly string[]) =>
      etcdFor({ endpoints: [...one.endpoints, ...silent, ...more], certificates: undefined }).discover(never);
    const startedMs = performance.now();
    expect(await discoverWith(`${one.endpoints[0]}/`)).toMatchObject({ skipped: [], members: [{ name: 'm1' }] });
    expect(performance.now() - startedMs).toBeLessThan(3_500);
    await expect(discoverWith(...other.endpoints)).rejects.toEqual(wardenError('etcd-cluster-mismatch'));
  });
});

describe('an endpoint that is not the client API', () => {
  const discoverAt = (endpoint: string) => etcdFor({ endpoints: [endpoint], certificates: undefined }).discover(never);
  const notEtcd = (endpoint: string): unknown =>
    wardenError(
      'etcd-answer-invalid',
      `something answers at ${endpoint}, but not etcd's client API`,
      '2379 is usually its client port, 2380 its peer port',
    );

  test('but the peer port is named as such', async () => {
    await using cluster = await startCluster();
    const peerUrl = cluster.members[0]?.peerUrl ?? '';
    await expect(discoverAt(peerUrl)).rejects.toEqual(notEtcd(peerUrl));
    await expect(discoverAt(peerUrl)).rejects.toMatchObject({ hint: expect.stringContaining('2379') as unknown });
    await expect(discoverAt(peerUrl.replace('http', 'https'))).rejects.toEqual(
      wardenError('etcd-tls-plain-server', 'https:// was given'),
    );
  });

  test('but another web server is named as such', async () => {
    const server = createServer((_, answer) => answer.end('hello')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(discoverAt(url)).rejects.toEqual(notEtcd(url));
    server.close();
  });
});

describe('when no endpoint gave the members', () => {
  const discoverAt = (endpoints: readonly string[], options: Partial<EtcdOptions>) =>
    etcdFor({ endpoints, certificates: undefined }, options).discover(never);

  test('a missing file of ours is told once, and not as the silence of endpoints', async () => {
    const tls = { caFile: '/nowhere/ca.pem' };
    await expect(discoverAt(['https://127.0.0.1:1', 'https://127.0.0.1:2'], { tls })).rejects.toMatchObject({
      code: 'secret-unreadable',
      message: expect.stringMatching(/^cluster\.tls\.caFile \/nowhere\/ca\.pem cannot be read: [^;]*$/) as unknown,
    });
  });

  test('a refused password is what is told, beside the endpoint that is down', async () => {
    await using cluster = await startCluster({ auth: { user: 'root', password: 'rootpw' } });
    const [closedPort] = await freePorts(1);
    const auth = { username: 'root', readPassword: () => Promise.resolve('wrong') };
    const endpoints = [`http://127.0.0.1:${closedPort}`, ...cluster.endpoints];
    await expect(discoverAt(endpoints, { auth })).rejects.toMatchObject({
      code: 'etcd-auth-failed',
      message: expect.stringMatching(/^http:\S+: connect ECONNREFUSED.*; http:\S+ refused Authenticate/) as unknown,
      hint: expect.stringContaining('passwordFile') as unknown,
    });
  });
});

// field: F058
test('a learner is listed as one, and serves status and snapshot', async () => {
  await using cluster = await startCluster({});
  await cluster.join('m2', { learner: true });
  const etcd = etcdFor(cluster);
  const learner = (await etcd.discover(never)).members.find(({ name }) => name === 'm2');
  expect(learner).toMatchObject({ isLearner: true });
  if (learner === undefined) return;
  await using client = etcd.connect(learner);
  expect(await client.status(never)).toMatchObject({ isLearner: true, memberId: learner.id });
  await using stream = await client.openSnapshot({ idleTimeoutMs: 5_000 }, never);
  expect(await collect(stream)).toHaveLength(stream.totalBytes);
});

// field: F060
test('a member that was added but never started is listed without a URL', async () => {
  await using cluster = await startCluster({ members: 3 });
  await cluster.etcdctl(['member', 'add', 'm4', '--peer-urls=http://127.0.0.1:9', '--learner']);
  const { members } = await etcdFor(cluster).discover(never);
  expect(members).toHaveLength(4);
  expect(members.filter(({ endpoint }) => endpoint === undefined)).toMatchObject([{ name: '', isLearner: true }]);
});

test('of several URLs of one member, one that leads to it is used', async () => {
  const [closedPort] = await freePorts(1);
  // The flag given last wins.
  await using other = await startCluster({});
  const elsewhere = other.endpoints[0] ?? '';
  const [ownPort] = await freePorts(1);
  const own = `http://127.0.0.1:${ownPort}`;
  await using cluster = await startCluster({
    args: [`--listen-client-urls=${own}`, `--advertise-client-urls=http://127.0.0.1:${closedPort},${elsewhere},${own}`],
  });
  expect(cluster.members).toHaveLength(1);
  const view = await etcdFor({ endpoints: [own], certificates: undefined }).discover(never);
  expect(view.members.map(({ endpoint }) => endpoint)).toEqual([own]);
  const preferred = etcdFor(
    { endpoints: [own], certificates: undefined },
    { endpointMap: new Map([[`http://127.0.0.1:${closedPort}`, elsewhere]]) },
  );
  expect((await preferred.discover(never)).members.map(({ endpoint }) => endpoint)).toEqual([own]);
});

test('without quorum a linearizable read says that there is no leader, and the members still show', async () => {
  await using cluster = await startCluster({ members: 3 });
  for (const member of cluster.members.slice(1)) member.process.signal('SIGKILL');
  const etcd = etcdFor(cluster);
  const view = await etcd.discover(never);
  const first = view.members.find(({ name }) => name === 'm1');
  if (first === undefined) throw new Error('m1 was not discovered');
  await using client = etcd.connect(first);
  await expect(client.readRevision(never)).rejects.toMatchObject({
    code: expect.stringMatching(/^etcd-(no-leader|deadline)$/) as unknown,
  });
  expect((await client.status(never)).memberId).toBe(first.id);
});
