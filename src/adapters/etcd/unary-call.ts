import { type ClientHttp2Session, constants } from 'node:http2';
import { WardenError } from '../../errors/warden-error.ts';
import { type CallRequest, checkAnswerHeaders, readCallStatus, sendCall } from './call.ts';
import { callFailed, type CallStatus, interruptedBy } from './errors.ts';

/**
 * A member answers pings however long it works on a call, so one that does not has died without a word, and a call that
 * may take minutes need not wait for it. etcd allows a ping every five seconds (--grpc-keepalive-min-time).
 */
const pingIntervalMs = 7_000;

/** gRPC's customary limit of a message; the longest that we ask for, a member list, takes a few KiB. */
const maxAnswerBytes = 4 * 1024 * 1024;

export interface UnaryCall extends CallRequest {
  /** For messages of errors: `Status`, `https://10.0.0.1:2379`. */
  readonly name: string;
  readonly endpoint: string;
  readonly timeoutMs: number;
}

/** Sends one message, once, and resolves with the one that answers it. */
export async function callUnary(
  session: ClientHttp2Session,
  call: UnaryCall,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (signal.aborted) throw interruptedBy(signal);
  const { name, endpoint } = call;
  const sentMs = performance.now();
  const limit = { 'grpc-timeout': grpcTimeout(call.timeoutMs) };
  const stream = sendCall(session, { ...call, metadata: { ...call.metadata, ...limit } });
  const chunks: Buffer[] = [];
  let receivedBytes = 0;
  let status: CallStatus | undefined;
  let failure: WardenError | undefined;
  const giveUp = (error: WardenError): void => {
    failure ??= error;
    stream.close(constants.NGHTTP2_CANCEL);
  };
  const interrupt = (): void => giveUp(interruptedBy(signal));
  signal.addEventListener('abort', interrupt);
  const tooLate = (): WardenError =>
    new WardenError('etcd-deadline', `${endpoint} did not answer ${name} within ${call.timeoutMs / 1000} s`);
  const timer = setTimeout(() => giveUp(tooLate()), call.timeoutMs);
  const pings = call.timeoutMs > 3 * pingIntervalMs ? pingWhileWaiting(session, call, giveUp) : undefined;
  try {
    await new Promise<void>((closed) => {
      stream.on('response', (headers) => {
        failure ??= checkAnswerHeaders(headers, name, endpoint);
        status = readCallStatus(headers);
      });
      stream.on('trailers', (headers) => void (status = readCallStatus(headers)));
      stream.on('data', (chunk: Buffer) => {
        receivedBytes += chunk.length;
        if (receivedBytes <= maxAnswerBytes) chunks.push(chunk);
        else
          giveUp(
            new WardenError(
              'etcd-answer-invalid',
              `${endpoint} answered ${name} with more than ${maxAnswerBytes} bytes`,
            ),
          );
      });
      stream.on('error', (error) => {
        failure ??= new WardenError(
          'etcd-unreachable',
          `the connection to ${endpoint} broke during ${name}: ${error.message}`,
          { cause: error },
        );
      });
      stream.on('close', closed);
    });
  } finally {
    clearTimeout(timer);
    clearInterval(pings);
    signal.removeEventListener('abort', interrupt);
  }
  if (failure !== undefined) throw failure;
  if (status === undefined) {
    // A server that keeps time itself resets the stream without another word.
    if (performance.now() - sentMs >= call.timeoutMs) throw tooLate();
    throw new WardenError('etcd-unreachable', `the connection to ${endpoint} ended during ${name}`);
  }
  if (status.code !== 0) throw callFailed(name, endpoint, status);
  return messageOf(Buffer.concat(chunks), name, endpoint);
}

/**
 * Tells the member how long we wait. What waits inside etcd for other members ends then too; a defragmentation does not.
 * At most eight digits: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests.
 */
function grpcTimeout(timeoutMs: number): string {
  return `${Math.min(Math.ceil(timeoutMs), 99_999_999)}m`;
}

/** Gives up at the first ping that is still unanswered when the next one is due. */
function pingWhileWaiting(
  session: ClientHttp2Session,
  { name, endpoint }: UnaryCall,
  giveUp: (error: WardenError) => void,
): NodeJS.Timeout {
  let isAnswered = true;
  return setInterval(() => {
    if (!isAnswered) {
      const message = `${endpoint} answered no ping for ${pingIntervalMs / 1000} s during ${name}`;
      return giveUp(new WardenError('etcd-deadline', message));
    }
    isAnswered = false;
    if (!session.destroyed) session.ping(() => void (isAnswered = true));
  }, pingIntervalMs);
}

function messageOf(body: Buffer, name: string, endpoint: string): Uint8Array {
  if (body.length >= 5 && body[0] === 0 && body.readUInt32BE(1) === body.length - 5) return body.subarray(5);
  throw new WardenError(
    'etcd-answer-invalid',
    `${endpoint} answered ${name} with something that is not one gRPC message`,
  );
}
