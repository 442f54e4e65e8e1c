import { createServer, request as sendRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';

/** What happens to a request instead of its plain forwarding. */
export type HttpFault =
  /** An S3 error document, without asking the server. */
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly code: string;
      readonly headers?: Record<string, string>;
    }
  /** This very answer, without asking the server. */
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** Takes the request and never answers. */
  | { readonly kind: 'swallow' }
  /** Resets the connection once this many bytes of the request's body came. */
  | { readonly kind: 'reset-request'; readonly afterBytes: number }
  /** The server carries the request out, and the answer is lost. */
  | { readonly kind: 'lose-answer' }
  /** Resets the connection once this many bytes of the answer's body were sent. */
  | { readonly kind: 'cut-answer'; readonly afterBytes: number }
  /** Sends this many bytes of the answer's body and no more; the connection stays open. */
  | { readonly kind: 'stall-answer'; readonly afterBytes: number }
  /** The server gets the request only after `until`, whether or not its sender is still there. */
  | { readonly kind: 'hold'; readonly until: Promise<void> }
  /** The answer's body, changed on its way. */
  | { readonly kind: 'rewrite'; readonly body: (body: string) => string };

export interface SeenRequest {
  /** As S3 names it: `UploadPart`. */
  readonly operation: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  bodyBytes: number;
}

type Matcher = string | ((request: SeenRequest) => boolean);

export interface HttpProxy extends AsyncDisposable {
  /** URL of the proxy: an endpoint by itself, and a forward proxy for plain HTTP. */
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** Breaks the next `times` requests that match; an operation's name or a test of the request. */
  break(matcher: Matcher, fault: HttpFault, times?: number): void;
  /** Forwards everything again. */
  heal(): void;
  /** Resolves once a request that matches arrives after this call. */
  arrival(matcher: Matcher): Promise<SeenRequest>;
  count(matcher: Matcher): number;
  openConnections(): number;
}

interface Rule {
  readonly matches: (request: SeenRequest) => boolean;
  readonly fault: HttpFault;
  timesLeft: number;
}

/** A proxy on a free loopback port in front of an S3 server; it keeps the Host header, which signatures cover. */
export async function startHttpProxy(target: string): Promise<HttpProxy> {
  const { hostname, port } = new URL(target);
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const waiting: { matches: (request: SeenRequest) => boolean; arrived: (request: SeenRequest) => void }[] = [];
  let rules: Rule[] = [];

  const server = createServer((incoming, outgoing) => {
    const seen = seenRequest(incoming);
    requests.push(seen);
    const rule = rules.find((candidate) => candidate.timesLeft > 0 && candidate.matches(seen));
    if (rule !== undefined) rule.timesLeft -= 1;
    for (const waiter of waiting) if (waiter.matches(seen)) waiter.arrived(seen);
    // A connection that broke on purpose leaves nobody to tell.
    serve(incoming, outgoing, seen, rule?.fault, { hostname, port }).catch(() => incoming.socket.destroy());
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    break: (matcher, fault, times = Number.POSITIVE_INFINITY) =>
      rules.push({ matches: toPredicate(matcher), fault, timesLeft: times }),
    heal: () => {
      rules = [];
    },
    arrival: (matcher) => new Promise((arrived) => waiting.push({ matches: toPredicate(matcher), arrived })),
    count: (matcher) => requests.filter(toPredicate(matcher)).length,
    openConnections: () => sockets.size,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  seen: SeenRequest,
  fault: HttpFault | undefined,
  target: { hostname: string; port: string },
): Promise<void> {
  const body: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    body.push(chunk);
    seen.bodyBytes += chunk.length;
    if (fault?.kind === 'reset-request' && seen.bodyBytes >= fault.afterBytes) {
      incoming.socket.resetAndDestroy();
      return;
    }
  }
  if (fault?.kind === 'swallow') return;
  if (fault?.kind === 'answer') {
    outgoing.writeHead(fault.status, { 'content-type': 'application/xml' }).end(fault.body);
    return;
  }
  if (fault?.kind === 'error') {
    outgoing.writeHead(fault.status, { 'content-type': 'application/xml', ...fault.headers });
    outgoing.end(seen.operation.startsWith('Head') ? undefined : errorDocument(fault.code));
    return;
  }
  if (fault?.kind === 'hold') await fault.until;
  const answer = await forward(incoming, seen, Buffer.concat(body), target);
  if (fault?.kind === 'lose-answer') {
    await answer.resume().toArray();
    incoming.socket.resetAndDestroy();
    return;
  }
  if (fault?.kind === 'rewrite') {
    const text = fault.body(Buffer.concat((await answer.toArray()) as Buffer[]).toString());
    outgoing.writeHead(answer.statusCode ?? 200, { 'content-type': 'application/xml' }).end(text);
    return;
  }
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  if (fault?.kind === 'stall-answer') {
    const [first] = (await answer.take(1).toArray()) as Buffer[];
    outgoing.write(first?.subarray(0, fault.afterBytes));
    return;
  }
  await sendAnswer(answer, outgoing, fault?.kind === 'cut-answer' ? fault.afterBytes : undefined);
}

async function sendAnswer(answer: IncomingMessage, outgoing: ServerResponse, cutAfter?: number): Promise<void> {
  let sentBytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if (outgoing.destroyed) return;
    const allowed = cutAfter === undefined ? chunk : chunk.subarray(0, Math.max(0, cutAfter - sentBytes));
    sentBytes += allowed.length;
    const hasRoom = outgoing.write(allowed);
    if (cutAfter !== undefined && sentBytes >= cutAfter) {
      // What was written must leave before the connection goes.
      await new Promise<void>((flushed) => outgoing.write('', () => flushed()));
      outgoing.destroy();
      return;
    }
    if (!hasRoom) await room(outgoing);
  }
  outgoing.end();
}

async function room(outgoing: ServerResponse): Promise<void> {
  const decided = new AbortController();
  const { signal } = decided;
  // The one that does not come takes its listeners along when it is called off.
  const off = () => undefined;
  await Promise.race([once(outgoing, 'drain', { signal }).catch(off), once(outgoing, 'close', { signal }).catch(off)]);
  decided.abort();
}

async function forward(
  incoming: IncomingMessage,
  seen: SeenRequest,
  body: Buffer,
  target: { hostname: string; port: string },
): Promise<IncomingMessage> {
  const { 'proxy-connection': _, 'connection': __, ...headers } = incoming.headers;
  const upstream = sendRequest({
    host: target.hostname,
    port: target.port,
    method: incoming.method,
    path: seen.url.pathname + seen.url.search,
    headers,
    agent: false,
  });
  // A server may answer and close before it took the whole body; what it answered is what counts.
  upstream.on('error', () => undefined);
  upstream.end(body);
  const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
  return answer;
}

function seenRequest(incoming: IncomingMessage): SeenRequest {
  const url = new URL(incoming.url ?? '/', `http://${incoming.headers.host}`);
  return { operation: operationOf(incoming.method ?? '', url), url, headers: incoming.headers, bodyBytes: 0 };
}

function operationOf(method: string, url: URL): string {
  const has = (name: string) => url.searchParams.has(name);
  if (method === 'GET' && has('list-type')) return 'ListObjectsV2';
  if (method === 'GET' && has('versions')) return 'ListObjectVersions';
  if (method === 'GET' && has('versioning')) return 'GetBucketVersioning';
  if (method === 'GET' && has('retention')) return 'GetObjectRetention';
  if (method === 'GET' && has('legal-hold')) return 'GetObjectLegalHold';
  if (method === 'GET' && has('object-lock')) return 'GetObjectLockConfiguration';
  if (method === 'GET' && has('uploads')) return 'ListMultipartUploads';
  if (method === 'GET' && has('uploadId')) return 'ListParts';
  if (method === 'POST' && has('delete')) return 'DeleteObjects';
  if (method === 'POST' && has('uploads')) return 'CreateMultipartUpload';
  if (method === 'POST' && has('uploadId')) return 'CompleteMultipartUpload';
  if (method === 'PUT' && has('partNumber')) return 'UploadPart';
  if (method === 'DELETE' && has('uploadId')) return 'AbortMultipartUpload';
  return { PUT: 'PutObject', GET: 'GetObject', HEAD: 'HeadObject', DELETE: 'DeleteObject' }[method] ?? method;
}

function toPredicate(matcher: Matcher): (request: SeenRequest) => boolean {
  return typeof matcher === 'string' ? (request) => request.operation === matcher : matcher;
}

export function errorDocument(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>made by a test</Message></Error>`;
}
