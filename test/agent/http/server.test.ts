import { channel } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { startHttpServer } from '../../../src/agent/http/server.ts';
import { wardenError } from '../../support/errors.ts';
import { connectRaw, serve } from './serve.ts';

const request = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';
/** More than the buffers of both ends take. */
const large = 'x'.repeat(32 * 1024 * 1024);
const never = new Promise<never>(() => undefined);

describe('starting the HTTP server', () => {
  it('says where it listens', async () => {
    await using served = await serve();
    expect(served.server.port).toBeGreaterThan(0);
    expect(served.server.address).toBe(`127.0.0.1:${served.server.port}`);
  });

  it('is refused at a port in use', async () => {
    await using served = await serve();
    await expect(startAt('127.0.0.1', served.server.port)).rejects.toEqual(
      wardenError('http-listen-failed', `cannot listen at 127.0.0.1:${served.server.port}: the port is in use`),
    );
  });

  it.each([
    ['192.0.2.1', 'cannot listen at 192.0.2.1:0: no interface of this machine has this address'],
    ['2001:db8::1', 'cannot listen at [2001:db8::1]:0: '],
    ['no-such-host.invalid', 'cannot listen at no-such-host.invalid:0: the name '],
  ])('is refused at %s, which is not of this machine', async (host, message) => {
    await expect(startAt(host, 0)).rejects.toEqual(wardenError('http-listen-failed', message));
  });
});

describe('closing the HTTP server', () => {
  it('ends every connection: silent, idle, in the middle of a request, of an answer, and of one that nobody reads', async () => {
    const served = await serve({
      routes: { status: () => never, metrics: () => ({ contentType: 'text/plain', body: large }) },
    });
    const { port } = served.server;
    const clients = await Promise.all([
      connectRaw(port, ''),
      connectRaw(port, request),
      connectRaw(port, 'GET /livez HTTP/1.1\r\nHost:'),
      connectRaw(port, 'GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n'),
      connectRaw(port, 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n', { reads: false }),
    ]);
    await vi.waitFor(() => expect(clients[1].received()).toContain('ok\n'));
    await served.server[Symbol.asyncDispose]();
    // Who does not read learns of the end by writing only.
    clients[4].socket.resume();
    await Promise.all(clients.map(({ ended }) => ended));
    await expect(connectRaw(port, '')).rejects.toThrow('ECONNREFUSED');
    expect(await served.server.closed).toBeUndefined();
  });

  it('lets an answer under way be finished', async () => {
    const answer = Promise.withResolvers<{ contentType: string; body: string }>();
    const served = await serve({ routes: { metrics: () => answer.promise }, limits: { closeGraceMs: 60_000 } });
    using client = await connectRaw(served.server.port, 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    using other = await connectRaw(served.server.port, request);
    await vi.waitFor(() => expect(other.received()).toContain('ok\n'));
    const disposed = served.server[Symbol.asyncDispose]();
    await other.ended;
    answer.resolve({ contentType: 'text/plain', body: 'the whole of it' });
    expect(await client.ended).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nthe whole of it$/);
    await disposed;
  });

  it('can be done twice', async () => {
    const served = await serve();
    await Promise.all([served.server[Symbol.asyncDispose](), served.server[Symbol.asyncDispose]()]);
    await served.server[Symbol.asyncDispose]();
    expect(await served.server.closed).toBeUndefined();
  });
});

describe('an HTTP server that stops by itself', () => {
  it('is noticed, and can be disposed of', async () => {
    const served = await serve();
    const inner = await innerServer(served.url);
    inner.close();
    inner.closeAllConnections();
    expect(await served.server.closed).toEqual(
      wardenError('internal', `the HTTP server at ${served.server.address} stopped by itself`),
    );
    await served.server[Symbol.asyncDispose]();
  });

  it('reports that a connection could not be accepted, and goes on', async () => {
    await using served = await serve();
    const inner = await innerServer(served.url);
    inner.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
    expect(served.errors).toEqual([{ error: wardenError('internal', 'accept EMFILE'), path: undefined }]);
    expect((await fetch(`${served.url}/livez`)).status).toBe(200);
  });
});

function startAt(host: string, port: number): Promise<AsyncDisposable> {
  return startHttpServer({
    host,
    port,
    statusPage: true,
    routes: { metrics: () => never, livez: () => never, readyz: () => never, status: () => never },
    onError: () => undefined,
  });
}

/** Node tells whoever asks which server got a request. */
async function innerServer(url: string): Promise<Server> {
  const found = Promise.withResolvers<Server>();
  const listen = (message: unknown): void => found.resolve((message as { server: Server }).server);
  const requests = channel('http.server.request.start');
  requests.subscribe(listen);
  await fetch(`${url}/livez`);
  requests.unsubscribe(listen);
  return found.promise;
}
