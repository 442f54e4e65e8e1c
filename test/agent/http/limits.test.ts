import { describe, expect, it, vi } from 'vitest';
import { connectRaw, type RawClient, serve } from './serve.ts';

const request = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';
const never = new Promise<never>(() => undefined);

describe('a client that takes its time', () => {
  it.each([
    ['never says a word', ''],
    ['never ends its headers', 'GET /livez HTTP/1.1\r\nHost: x\r\n'],
    ['begins a second request and never ends it', `${request}GET /livez HTTP/1.1\r\n`],
  ])('is ended where it %s', async (_, text) => {
    await using served = await serve({ limits: { requestTimeoutMs: 50 } });
    using client = await connectRaw(served.server.port, text);
    expect(await client.ended).toMatch(/HTTP\/1\.1 408 /);
  });

  it('is ended where it never takes its answer', async () => {
    // More than the buffers of both ends take.
    const body = 'x'.repeat(32 * 1024 * 1024);
    await using served = await serve({
      routes: { metrics: () => ({ contentType: 'text/plain', body }) },
      limits: { answerTimeoutMs: 50 },
    });
    using client = await connectRaw(served.server.port, 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n', { reads: false });
    // Who does not read learns of the end by writing only.
    await vi.waitFor(() => {
      client.socket.write('\r\n');
      expect(client.socket.destroyed).toBe(true);
    }, 5000);
  });

  it('is ended where a route never answers', async () => {
    await using served = await serve({ routes: { metrics: () => never }, limits: { answerTimeoutMs: 50 } });
    using client = await connectRaw(served.server.port, 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await client.ended).toBe('');
    expect((await fetch(`${served.url}/livez`)).status).toBe(200);
  });

  it('is ended where it stays without another request', async () => {
    await using served = await serve({ limits: { keepAliveTimeoutMs: 1 } });
    using client = await connectRaw(served.server.port, request);
    expect(await client.ended).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('may keep its connection from one scrape to the next', async () => {
    await using served = await serve();
    expect((await fetch(`${served.url}/metrics`)).headers.get('keep-alive')).toBe('timeout=75');
  });
});

describe('a client that wants much', () => {
  it('keeps nobody out by holding connections: the oldest gives way', async () => {
    await using served = await serve({ limits: { maxConnections: 3 } });
    const { port } = served.server;
    const held: RawClient[] = [];
    for (let index = 0; index < 3; index += 1) held.push(await connectRaw(port, request));
    await vi.waitFor(() => expect(held.every((client) => client.received().endsWith('ok\n'))).toBe(true));
    using probe = await connectRaw(port, request);
    await vi.waitFor(() => expect(probe.received()).toContain('ok\n'));
    await held[0]?.ended;
    expect(held.map(({ socket }) => socket.destroyed)).toEqual([true, false, false]);
    for (const { socket } of held) socket.destroy();
  });

  it('is refused with long headers', async () => {
    await using served = await serve();
    const text = `GET /livez HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(9000)}\r\n\r\n`;
    using client = await connectRaw(served.server.port, text);
    expect(await client.ended).toMatch(/^HTTP\/1\.1 431 /);
  });

  it.each([
    ['of a length', 'Content-Length: 1000000000'],
    ['in chunks', 'Transfer-Encoding: chunked'],
    ['that it announces first', 'Expect: 100-continue\r\nContent-Length: 1000000000'],
  ])('is not read where it sends a body %s: its connection ends', async (_, header) => {
    await using served = await serve();
    using client = await connectRaw(served.server.port, `GET /livez HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`);
    // At once, not at the end of its time.
    expect((await client.ended).split('HTTP/1.1 ')).toEqual([
      '',
      expect.stringMatching(/^200 OK\r\n(.+\r\n)*Connection: close\r\n/),
    ]);
  });

  it('gets nothing where it speaks something else', async () => {
    await using served = await serve();
    for (const text of [
      '\u0016\u0003\u0001\u0002\u0000',
      'GET / HTTP/1.1\r\n\r\n',
      'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
    ]) {
      using client = await connectRaw(served.server.port, text);
      expect(await client.ended).not.toContain('200 OK');
    }
    expect((await fetch(`${served.url}/livez`)).status).toBe(200);
  });
});
