import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import type { ErrorCode } from '../../errors/table.ts';
import { describeThrown, isWardenError, WardenError } from '../../errors/warden-error.ts';
import { dialHttp1, dialTimeoutMs } from './dial.ts';
import { type Endpoint, parseEndpoint } from './endpoints.ts';
import { interruptedBy } from './errors.ts';
import { explainConnectFailure } from './explain-connect-failure.ts';
import { readTlsFiles, type TlsFiles, type TlsMaterial } from './tls-files.ts';

/** etcd writes its metrics from memory in milliseconds, while it defragments too. */
const fetchTimeoutMs = 10_000;

/** A member of 3.7 writes 180 KB. */
const maxTextBytes = 16 * 1024 * 1024;

/**
 * GETs a text over one HTTP/1.1 connection of its own, directly: no proxy of the environment is used and no redirect is
 * followed. Nothing of it is left when it settles. Rejects with an `etcd-*` WardenError.
 */
export async function fetchText(url: URL, files: TlsFiles | undefined, signal: AbortSignal): Promise<string> {
  if (signal.aborted) throw interruptedBy(signal);
  const endpoint = parseEndpoint(url.href);
  const limit = AbortSignal.timeout(fetchTimeoutMs);
  const either = AbortSignal.any([signal, limit]);
  const { socket, tls } = await connect(endpoint, files, signal);
  let answer: IncomingMessage | undefined;
  try {
    answer = await get(url, socket, either);
    checkStatus(url, answer);
    return await readAll(url, answer);
  } catch (error) {
    if (signal.aborted) throw interruptedBy(signal);
    if (isWardenError(error)) throw error;
    if (limit.aborted) {
      throw new WardenError('etcd-deadline', `${describeUrl(url)} did not answer within ${fetchTimeoutMs / 1000} s`);
    }
    // A refused client certificate is told after the handshake.
    if (answer === undefined) throw await explainConnectFailure(endpoint, tls, error, signal);
    const message = `the connection to ${describeUrl(url)} broke in the middle of the answer: ${describeThrown(error)}`;
    throw new WardenError('etcd-unreachable', message, { cause: error });
  } finally {
    socket.destroy();
  }
}

/** For messages: a query may hold a secret. */
export function describeUrl({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

interface Connected {
  readonly socket: Socket;
  readonly tls: TlsMaterial | undefined;
}

async function connect(endpoint: Endpoint, files: TlsFiles | undefined, signal: AbortSignal): Promise<Connected> {
  const limit = AbortSignal.timeout(dialTimeoutMs);
  const either = AbortSignal.any([signal, limit]);
  let tls: TlsMaterial | undefined;
  try {
    tls = endpoint.secure ? await readTlsFiles(files ?? {}, either) : undefined;
    const socket = await dialHttp1(endpoint, tls, either);
    // HTTP tells of it.
    socket.on('error', () => undefined);
    return { socket, tls };
  } catch (error) {
    if (signal.aborted) throw interruptedBy(signal);
    throw await explainConnectFailure(endpoint, tls, limit.aborted ? 'timeout' : error, signal);
  }
}

async function get(url: URL, socket: Socket, signal: AbortSignal): Promise<IncomingMessage> {
  const headers = { 'accept': 'text/plain;version=0.0.4', 'accept-encoding': 'identity', 'user-agent': 'etcd-warden' };
  // TLS is the socket's business: this is the HTTP that goes through it.
  const http = `http://${url.host}${url.pathname}${url.search}`;
  // Without an agent: one would make a connection of its own.
  const sent = request(http, { createConnection: () => socket, headers, signal });
  sent.end();
  try {
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return answer;
  } catch (error) {
    // What HTTP/2 says first, for one: a port that etcd keeps for gRPC.
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('HPE_')) {
      throw new WardenError('etcd-answer-invalid', `${describeUrl(url)} does not answer in HTTP/1.1`, { cause: error });
    }
    throw error;
  } finally {
    // What ends the answer is told by reading it.
    sent.on('error', () => undefined);
  }
}

function checkStatus(url: URL, { statusCode = 0 }: IncomingMessage): void {
  if (statusCode === 200) return;
  throw new WardenError(
    codeOf(statusCode),
    `${describeUrl(url)} answered with HTTP status ${statusCode}, expected 200`,
    {
      details: { url: describeUrl(url), httpStatus: statusCode },
    },
  );
}

function codeOf(httpStatus: number): ErrorCode {
  if (httpStatus === 401 || httpStatus === 403) return 'etcd-permission-denied';
  // A balancer without a healthy member behind it answers so.
  if (httpStatus >= 502 && httpStatus <= 504) return 'etcd-unreachable';
  return httpStatus >= 500 ? 'etcd-call-failed' : 'etcd-answer-invalid';
}

async function readAll(url: URL, answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let receivedBytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    receivedBytes += chunk.length;
    if (receivedBytes > maxTextBytes) {
      throw new WardenError('etcd-answer-invalid', `${describeUrl(url)} answered with more than ${maxTextBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
