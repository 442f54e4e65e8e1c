import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import type { HttpLimits } from '../../../src/agent/http/limits.ts';
import type { HttpRoutes } from '../../../src/agent/http/routes.ts';
import { type HttpServer, startHttpServer } from '../../../src/agent/http/server.ts';
import type { WardenError } from '../../../src/errors/warden-error.ts';
import { healthyStatus } from './sample-status.ts';

export interface Served extends AsyncDisposable {
  readonly url: string;
  readonly server: HttpServer;
  /** What it reported, with the path of the request. */
  readonly errors: readonly { readonly error: WardenError; readonly path: string | undefined }[];
}

export interface ServeOptions {
  readonly routes?: Partial<HttpRoutes>;
  readonly statusPage?: boolean;
  readonly limits?: Partial<HttpLimits>;
}

/** The server at a free port of this machine, with an answer for every route. */
export async function serve({ routes = {}, statusPage = true, limits = {} }: ServeOptions = {}): Promise<Served> {
  const errors: { error: WardenError; path: string | undefined }[] = [];
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    statusPage,
    limits,
    routes: {
      metrics: (accept) => ({ contentType: 'text/plain; version=0.0.4', body: `# asked for ${accept}\n` }),
      livez: () => ({ ok: true, lines: [] }),
      readyz: () => ({ ok: true, lines: [] }),
      status: () => healthyStatus(),
      ...routes,
    },
    onError: (error, path) => errors.push({ error, path }),
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    server,
    errors,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

export interface RawClient extends Disposable {
  readonly socket: Socket;
  /** Everything that came so far. */
  received(): string;
  /** Resolves once the connection is gone, with everything that came. */
  readonly ended: Promise<string>;
}

/** A connection that says what it likes. With `reads: false` it takes nothing of what it is sent. */
export async function connectRaw(port: number, text: string, { reads = true } = {}): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1' });
  let received = '';
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(received)));
  // A reset is an end like any other here.
  socket.on('error', () => undefined);
  if (reads) socket.setEncoding('latin1').on('data', (chunk: string) => (received += chunk));
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  return { socket, received: () => received, ended, [Symbol.dispose]: () => void socket.destroy() };
}
