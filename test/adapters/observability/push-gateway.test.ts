import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pushToGateway } from '../../../src/adapters/observability/push-gateway.ts';
import { WardenError } from '../../../src/errors/warden-error.ts';
import type { FactGroup } from '../../../src/ports/metrics-export.ts';
import { makeCertificates } from '../../support/certificates.ts';
import { wardenError } from '../../support/errors.ts';
import { tellEverything } from './everything-told.ts';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('a push', () => {
  let server: Server;
  let address: string;
  let seen: Seen[];
  let answer: (response: ServerResponse, seen: Seen) => void;
  let groups: readonly FactGroup[];

  beforeEach(async () => {
    seen = [];
    answer = (response) => response.end();
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method, url, headers } = request;
        seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
        answer(response, { method, url, headers, body: '' });
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    groups = await tellEverything().runFacts();
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const push = (gateway = `http://${address}`, signal = new AbortController().signal): Promise<void> =>
    pushToGateway(gateway, groups, signal);

  it('adds to a group a job, and replaces one a repository, of names that no run changes', async () => {
    await push();
    expect(seen.map(({ method, url }) => `${method} ${url}`).sort()).toEqual([
      'POST /metrics/job/backup/cluster/prod',
      'POST /metrics/job/drill/cluster/prod',
      'POST /metrics/job/verify/cluster/prod',
      'PUT /metrics/job/etcd-warden/repository/primary/cluster/prod',
    ]);
    expect(new Set(seen.map(({ headers }) => headers['content-type']))).toEqual(
      new Set(['text/plain; version=0.0.4; charset=utf-8']),
    );
    expect(seen.find(({ url }) => url?.includes('/job/backup/'))?.body).toContain(
      'etcd_warden_job_last_success_timestamp_seconds{job="backup",cluster="prod"} 4000\n',
    );
  });

  it.each(['/base/path', '/base/path/', '/base/path//'])('keeps the path of the gateway: %s', async (path) => {
    await push(`http://${address}${path}`);
    expect(new Set(seen.map(({ url }) => url?.replace(/\/metrics\/.*/, '')))).toEqual(new Set(['/base/path']));
  });

  it('sends user and password as basic authentication', async () => {
    await push(`http://us%40er:pass%3A100%@${address}`);
    const expected = `Basic ${Buffer.from('us@er:pass%3A100%').toString('base64')}`;
    expect(new Set(seen.map(({ headers }) => headers.authorization))).toEqual(new Set([expected]));
  });

  // field: F164
  it.each([200, 202])('is done where the gateway answers %i', async (status) => {
    answer = (response) => response.writeHead(status).end();
    await expect(push()).resolves.toBeUndefined();
  });

  // field: F164
  it.each([400, 401, 404, 500, 503])('has failed where the gateway answers %i, and says why', async (status) => {
    answer = (response) => response.writeHead(status).end(`pushed metrics are\n${'in'.repeat(1000)}valid`);
    await expect(push()).rejects.toEqual(
      wardenError('push-failed', `http://${address}/`, `HTTP status ${status}`, 'pushed metrics are inin'),
    );
    await expect(push()).rejects.toHaveProperty(
      'message.length',
      expect.toSatisfy((length: number) => length < 500),
    );
  });

  it('follows no redirect', async () => {
    answer = (response, { url }) =>
      url === '/elsewhere' ? response.end() : response.writeHead(307, { location: '/elsewhere' }).end();
    await expect(push()).rejects.toEqual(wardenError('push-failed', 'HTTP status 307'));
    expect(seen.map(({ url }) => url)).not.toContain('/elsewhere');
  });

  it('delivers every group that can be, whatever becomes of one', async () => {
    answer = (response, { url }) => response.writeHead(url?.includes('backup') === true ? 400 : 200).end();
    await expect(push()).rejects.toEqual(wardenError('push-failed', 'HTTP status 400'));
    expect(seen).toHaveLength(4);
  });

  it('has failed where nobody listens', async () => {
    await expect(push('http://127.0.0.1:1')).rejects.toEqual(wardenError('push-failed', 'ECONNREFUSED'));
    await expect(push('http://name.invalid')).rejects.toEqual(wardenError('push-failed', 'ENOTFOUND'));
  });

  it('has failed where the connection breaks', async () => {
    answer = (response) => response.destroy();
    await expect(push()).rejects.toEqual(wardenError('push-failed', `http://${address}/`));
  });

  it('has failed where nobody vouches for the certificate of the gateway', async () => {
    await using certificates = await makeCertificates();
    const { certFile, keyFile } = certificates.server;
    const secure = createSecureServer({ cert: await readFile(certFile), key: await readFile(keyFile) }, (_, response) =>
      response.end(),
    ).listen(0, '127.0.0.1');
    await once(secure, 'listening');
    try {
      const gateway = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
      await expect(push(gateway)).rejects.toEqual(wardenError('push-failed', gateway, 'certificate'));
    } finally {
      secure.close();
    }
  });

  it.each([
    ['answers nothing', (): undefined => undefined],
    ['does not end its answer', (response: ServerResponse): boolean => response.writeHead(200).write('.')],
  ])('has failed after five seconds where the gateway %s', async (_, silence) => {
    const limit = new AbortController();
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(limit.signal);
    const asked = new Promise<void>((resolve) => {
      answer = (response) => {
        silence(response);
        if (seen.length === groups.length) resolve();
      };
    });
    const pushed = push();
    await Promise.race([asked, pushed]);
    limit.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    await expect(pushed).rejects.toEqual(wardenError('push-failed', 'no answer within 5 s'));
    expect(timeout).toHaveBeenCalledExactlyOnceWith(5000);
  });

  it('ends as its signal is aborted, with the reason of that', async () => {
    const stop = new AbortController();
    const reason = new WardenError('deadline-exceeded', 'too late');
    answer = () => stop.abort(reason);
    await expect(push(undefined, stop.signal)).rejects.toBe(reason);
    await expect(push(undefined, stop.signal)).rejects.toBe(reason);
  });

  it.each([
    ['refuses', (response: ServerResponse): unknown => response.writeHead(500).end('no')],
    ['breaks off', (response: ServerResponse): unknown => response.destroy()],
  ])('shows no credentials to anybody where the gateway %s', async (_, fault) => {
    answer = fault;
    const error = await push(`http://somebody:secret@${address}/?token=secret`).catch((thrown: unknown) => thrown);
    expect(error).toEqual(wardenError('push-failed'));
    const { message, details, hint } = error as WardenError;
    expect(JSON.stringify({ message, details, hint })).not.toMatch(/somebody|secret/);
  });
});
