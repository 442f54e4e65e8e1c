import { once } from 'node:events';
import { connect, createServer, type Http2Session, type ServerHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** What becomes of a call: `lose` has etcd carry it out and breaks the connection instead of answering. */
export type Fate = 'pass' | 'lose';

export interface LockProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** Calls that etcd carried out, in order, by name: `Txn`. */
  readonly calls: readonly string[];
}

/** Passes gRPC calls to `target` and decides, call by call, whether the client hears of their end. */
export async function startLockProxy(target: string, fateOf: (call: string) => Fate): Promise<LockProxy> {
  const calls: string[] = [];
  const upstream = connect(target);
  const sessions = new Set<Http2Session>([upstream]);
  const server = createServer();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined);
    const name = String(headers[':path']).split('/').at(-1) ?? '';
    void passOn(upstream.request(requestHeaders(headers)), stream).then((answer) => {
      calls.push(name);
      if (fateOf(name) === 'lose') stream.session?.destroy();
      else answer();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function requestHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== ':authority' && name !== ':scheme'));
}

/** Has the call carried out; resolves with what sends its answer on. */
async function passOn(call: ReturnType<ReturnType<typeof connect>['request']>, client: ServerHttp2Stream) {
  let head: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  const body: Buffer[] = [];
  call.on('response', (headers) => void (head = headers));
  call.on('trailers', (headers) => void (trailers = headers));
  call.on('data', (chunk: Buffer) => void body.push(chunk));
  client.pipe(call);
  await once(call, 'close');
  const without = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => name !== ':status'));
  return (): void => {
    client.on('wantTrailers', () => client.sendTrailers(trailers));
    client.respond({ ':status': 200, ...without(head) }, { waitForTrailers: Object.keys(trailers).length > 0 });
    client.end(Buffer.concat(body));
  };
}
