import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createMemberMetrics } from '../../../src/adapters/etcd/member-metrics.ts';
import { WardenError } from '../../../src/errors/warden-error.ts';
import type { Member } from '../../../src/ports/etcd.ts';
import { wardenError } from '../../support/errors.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { never } from './connect.ts';

const healthy = 'etcd_server_id{server_id="a1"} 1\netcd_disk_defrag_inflight 1\n';

interface MetricsServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly port: number;
  readonly paths: readonly string[];
  /** Connections that are open now. */
  connections(): Promise<number>;
}

async function startMetricsServer(answer: RequestListener, host = '127.0.0.1'): Promise<MetricsServer> {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? '');
    answer(request, response);
  }).listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    paths,
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

const memberAt = (endpoint: string | undefined, id = 0xa1n): Member => ({ id, name: 'm1', isLearner: false, endpoint });
const answering =
  (body: string, status = 200): RequestListener =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'text/plain' }).end(body);

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("a member's metrics", () => {
  test('are not asked for where that is turned off', async () => {
    const metrics = createMemberMetrics({ location: 'off' });
    expect(await metrics.read(memberAt('http://127.0.0.1:1'), never)).toBeUndefined();
  });

  test('are found at its client URL, over one connection that does not stay', async () => {
    await using server = await startMetricsServer(answering(healthy));
    await using proxy = await startTcpProxy(server.endpoint);
    const metrics = createMemberMetrics({ location: 'auto' });
    const member = memberAt(`http://${proxy.address}`);
    expect(await metrics.read(member, never)).toMatchObject({ isDefragmenting: true });
    expect(server.paths).toEqual(['/metrics']);
    expect(proxy.connections()).toBe(1);
    await vi.waitFor(async () => expect(await server.connections()).toBe(0));
  });

  test.each(['127.0.0.1', '::1'])('are found where the template says, at the host %s of the member', async (host) => {
    await using server = await startMetricsServer(answering(healthy), host);
    const metrics = createMemberMetrics({ location: `http://{host}:${server.port}/etcd/metrics?of={host}` });
    const clientUrl = server.endpoint.replace(/:\d+$/, ':2379');
    expect(await metrics.read(memberAt(clientUrl), never)).toMatchObject({ isDefragmenting: true });
    expect(server.paths).toEqual([`/etcd/metrics?of=${clientUrl.slice('http://'.length, -':2379'.length)}`]);
  });

  test('are not told with the query of their URL, which may hold a token', async () => {
    await using server = await startMetricsServer(answering('no', 404));
    const metrics = createMemberMetrics({ location: `http://{host}:${server.port}/metrics?token=hunter2` });
    const error = await metrics.read(memberAt(server.endpoint), never).catch((thrown: unknown) => thrown);
    expect(error).toEqual(wardenError('etcd-answer-invalid', `:${server.port}/metrics answered with HTTP status 404`));
    expect(error instanceof WardenError ? JSON.stringify([error.message, error.details]) : 'hunter2').not.toContain(
      'hunter2',
    );
  });

  test('are asked for directly, whatever proxy the environment names', async () => {
    for (const name of ['http_proxy', 'HTTP_PROXY', 'all_proxy']) vi.stubEnv(name, 'http://127.0.0.1:1');
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    await using server = await startMetricsServer(answering(healthy));
    await createMemberMetrics({ location: 'auto' }).read(memberAt(server.endpoint), never);
    expect(server.paths).toHaveLength(1);
  });

  // field: F050
  test('of another member are refused', async () => {
    await using server = await startMetricsServer(answering(healthy));
    const metrics = createMemberMetrics({ location: 'auto' });
    await expect(metrics.read(memberAt(server.endpoint, 0xbadn), never)).rejects.toEqual(
      wardenError('etcd-member-mismatch', 'member a1', 'expected bad'),
    );
    expect(await metrics.read(memberAt(server.endpoint, 0n), never)).toMatchObject({ isDefragmenting: true });
  });

  test.each([
    ['a login page', answering('<html>Sign in</html>'), 'etcd-answer-invalid', 'something else than etcd'],
    ['an exporter of something else', answering('node_load1 1\n'), 'etcd-answer-invalid', 'something else than etcd'],
    ['nothing there', answering('404 page not found', 404), 'etcd-answer-invalid', 'HTTP status 404'],
    ['a proxy that wants a login', answering('no', 401), 'etcd-permission-denied', 'HTTP status 401'],
    ['a proxy that refuses', answering('no', 403), 'etcd-permission-denied', 'HTTP status 403'],
    ['a balancer without members', answering('no', 503), 'etcd-unreachable', 'HTTP status 503'],
    ['a fault of the server', answering('no', 500), 'etcd-call-failed', 'HTTP status 500'],
    [
      'a redirect, which is not followed',
      (_, response) => response.writeHead(302, { location: '/metrics' }).end(),
      'etcd-answer-invalid',
      'HTTP status 302',
    ],
    [
      'an answer without an end',
      (_, response) => {
        const page = Buffer.alloc(1024 * 1024, 'x 1\n');
        const more = (): void => void (response.destroyed || (response.write(page), setImmediate(more)));
        more();
      },
      'etcd-answer-invalid',
      'more than 16777216 bytes',
    ],
    [
      'an answer that is cut off',
      (_, response) => {
        response.writeHead(200, { 'content-length': '1000' }).write(healthy, () => response.destroy());
      },
      'etcd-unreachable',
      'broke in the middle',
    ],
    ['a connection that is closed', (request) => request.socket.destroy(), 'etcd-unreachable', '127.0.0.1'],
  ] as const satisfies readonly (readonly [string, RequestListener, string, string])[])(
    'that cannot be had for %s have an error that names the place and the option',
    async (_, answer, code, says) => {
      await using server = await startMetricsServer(answer);
      const metrics = createMemberMetrics({ location: 'auto' });
      const error: unknown = await metrics.read(memberAt(server.endpoint), never).catch((thrown: unknown) => thrown);
      expect(error).toEqual(wardenError(code, 'the metrics of member m1', server.endpoint, says));
      expect(error).toMatchObject({ hint: expect.stringContaining('cluster.metrics') as unknown });
      expect(server.paths).toHaveLength(1);
      await vi.waitFor(async () => expect(await server.connections()).toBe(0));
    },
  );

  test('of a member that cannot be dialled have an error of the network', async () => {
    const metrics = createMemberMetrics({ location: 'auto' });
    await expect(metrics.read(memberAt('http://127.0.0.1:1'), never)).rejects.toEqual(
      wardenError('etcd-unreachable', 'ECONNREFUSED'),
    );
    await expect(metrics.read(memberAt(undefined), never)).rejects.toEqual(wardenError('etcd-unreachable', 'started'));
  });

  test('that do not come are waited for ten seconds', async () => {
    await using server = await startMetricsServer(() => undefined);
    const metrics = createMemberMetrics({ location: 'auto' });
    const limits: AbortController[] = [];
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      const limit = new AbortController();
      if (ms === 10_000) limits.push(limit);
      return limit.signal;
    });
    const reading = metrics.read(memberAt(server.endpoint), never);
    await vi.waitFor(() => expect(server.paths).toHaveLength(1));
    for (const limit of limits) limit.abort(new DOMException('late', 'TimeoutError'));
    await expect(reading).rejects.toEqual(wardenError('etcd-deadline', 'did not answer within 10 s'));
    vi.restoreAllMocks();
    await vi.waitFor(async () => expect(await server.connections()).toBe(0));
  });

  test.each(['before', 'while it is dialled', 'while it works', 'in the middle of the answer'])(
    'are given up when the run is told to stop %s',
    async (when) => {
      const stop = new AbortController();
      if (when === 'before') stop.abort();
      await using server = await startMetricsServer((_, response) => {
        if (when === 'while it works') stop.abort();
        if (when.startsWith('in')) response.write(healthy, () => setImmediate(() => stop.abort()));
      });
      await using proxy = await startTcpProxy(server.endpoint);
      const metrics = createMemberMetrics({ location: 'auto' });
      const reading = metrics.read(memberAt(`http://${proxy.address}`), stop.signal);
      if (when.startsWith('while it is')) stop.abort();
      await expect(reading).rejects.toMatchObject({ code: 'interrupted' });
      await vi.waitFor(async () => expect(await server.connections()).toBe(0));
    },
  );
});
