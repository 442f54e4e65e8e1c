import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { WardenError } from '../../errors/warden-error.ts';
import { type CallStatus, notEtcd } from './errors.ts';

/** One gRPC call on the wire: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md. */
export interface CallRequest {
  /** `/etcdserverpb.Maintenance/Status` */
  readonly path: string;
  /** A protobuf message. */
  readonly message: Uint8Array;
  /** Token, time limit and the like. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Sends a call; the caller listens to the stream and closes it. */
export function sendCall(session: ClientHttp2Session, request: CallRequest): ClientHttp2Stream {
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: request.path,
    'content-type': 'application/grpc+proto',
    'te': 'trailers',
    'user-agent': 'etcd-warden',
    ...request.metadata,
  });
  // One flag byte (0: not compressed) and the length, then the message.
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(request.message.length, 1);
  stream.end(Buffer.concat([prefix, request.message]));
  return stream;
}

/** Checks that the first headers of an answer are gRPC's; `call` and `endpoint` name it in the error. */
export function checkAnswerHeaders(
  headers: IncomingHttpHeaders,
  call: string,
  endpoint: string,
): WardenError | undefined {
  const status = Number(headers[constants.HTTP2_HEADER_STATUS]);
  const contentType = headers['content-type'] ?? '';
  if (status === 200 && contentType.startsWith('application/grpc')) return undefined;
  const found = `HTTP status ${status} and "${contentType}"`;
  // A balancer without a healthy member behind it answers so.
  if (status >= 502 && status <= 504) {
    return new WardenError('etcd-unreachable', `${endpoint} answered ${call} with ${found}, not with gRPC`);
  }
  return notEtcd(endpoint, `${found} to ${call}`);
}

/** The status in trailers, or in the headers of an answer without a message; undefined where there is none. */
export function readCallStatus(headers: IncomingHttpHeaders): CallStatus | undefined {
  const code = headers['grpc-status'];
  if (typeof code !== 'string' || !/^\d+$/.test(code)) return undefined;
  return { code: Number(code), message: percentDecoded(String(headers['grpc-message'] ?? '')) };
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
