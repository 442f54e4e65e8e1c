import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { formatListenAddress, type ListenAddress } from '../../config/schema/outlets.ts';
import { toWardenError, WardenError } from '../../errors/warden-error.ts';
import { type Answer, sentence } from './answer.ts';
import { type AnswerOptions, answerRequest } from './answer-request.ts';
import { trackConnections } from './connections.ts';
import { defaultHttpLimits, type HttpLimits } from './limits.ts';
import { listenAt } from './listen.ts';
import { securityHeaders } from './security-headers.ts';

export interface HttpServerOptions extends ListenAddress, AnswerOptions {
  /** Told of a route that threw, with its path, and of connections that could not be accepted. Must not throw. */
  readonly onError: (error: WardenError, path: string | undefined) => void;
  readonly limits?: Partial<HttpLimits>;
}

/** Disposing ends every connection, idle or in the middle of an answer, within a second. */
export interface HttpServer extends AsyncDisposable {
  /** `0.0.0.0:9427`, `[::1]:9427`. */
  readonly address: string;
  readonly port: number;
  /** Resolves once the server and its connections are closed: with undefined after disposal, else with why. Never rejects. */
  readonly closed: Promise<WardenError | undefined>;
}

/**
 * Serves what the routes say, to anybody who can reach the port, and changes nothing. Resolves once the port is bound; rejects
 * with `http-listen-failed` where it cannot be.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const limits = { ...defaultHttpLimits, ...options.limits };
  const server = createLimitedServer(limits);
  const connections = trackConnections(server, limits.maxConnections);
  let closing = false;
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    boundAnswer(request, response, limits.answerTimeoutMs);
    // While the server closes, a connection whose answer is out is of no use to anybody.
    response.once('close', () => closing && server.closeIdleConnections());
    respond(request, response, options).catch((error: unknown) => {
      options.onError(toWardenError(error), request.url);
      request.socket.destroy();
    });
  };
  // Nobody is invited to send a body.
  server.on('request', serve).on('checkContinue', serve);

  const port = await listenAt(server, options);
  const address = formatListenAddress({ host: options.host, port });
  server.on('error', (error) => options.onError(toWardenError(error), undefined));
  const closed = new Promise<WardenError | undefined>((resolve) => {
    server.once('close', () => {
      resolve(closing ? undefined : new WardenError('internal', `the HTTP server at ${address} stopped by itself`));
    });
  });
  return {
    address,
    port,
    closed,
    [Symbol.asyncDispose]: async () => {
      if (server.listening) closing = true;
      server.close();
      const force = setTimeout(() => connections.destroyAll(), limits.closeGraceMs);
      await closed;
      clearTimeout(force);
    },
  };
}

function createLimitedServer(limits: HttpLimits): Server {
  return createServer({
    // Of the headers as well, which Node never gives longer than the whole.
    requestTimeout: limits.requestTimeoutMs,
    // How often Node looks for those that are too late.
    connectionsCheckingInterval: Math.min(1000, limits.requestTimeoutMs),
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
  });
}

/** A route that never ends and a client that takes a byte a minute hold a connection no longer than this. */
function boundAnswer({ socket }: IncomingMessage, response: ServerResponse, timeoutMs: number): void {
  const timer = setTimeout(() => socket.destroy(), timeoutMs).unref();
  response.once('close', () => clearTimeout(timer));
}

async function respond(request: IncomingMessage, response: ServerResponse, options: HttpServerOptions): Promise<void> {
  const { method = '', url = '', headers } = request;
  const answer = await answerRequest({ method, url, accept: headers.accept ?? '' }, options).catch((error: unknown) => {
    options.onError(toWardenError(error), url);
    return sentence(500, 'This could not be answered; the log says why.');
  });
  write(response, answer, {
    isHead: method === 'HEAD',
    hasBody: headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0,
  });
}

function write(
  response: ServerResponse,
  { statusCode, contentType, body, headers }: Answer,
  { isHead, hasBody }: { readonly isHead: boolean; readonly hasBody: boolean },
): void {
  response.writeHead(statusCode, {
    ...securityHeaders,
    ...headers,
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    // What a client sends beside its request is not read: its connection ends with the answer.
    ...(hasBody ? { Connection: 'close' } : {}),
  });
  response.end(isHead ? undefined : body);
}
