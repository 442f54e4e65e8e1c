import { once } from 'node:events';
import { createServer, type Http2Session, type ServerHttp2Stream } from 'node:http2';

/** Headers of a gRPC answer whose status follows in trailers. */
export const grpcHeaders = { ':status': 200, 'content-type': 'application/grpc' };

/** A gRPC message on the wire: flag, length, bytes. */
export function framed(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag, 0);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

export interface RawGrpcServer extends AsyncDisposable {
  readonly endpoint: string;
  /** Calls that arrived, by path. */
  readonly paths: readonly string[];
}

/** Plain HTTP/2 for answers that no gRPC library would send: wrong flags, no trailers, HTTP errors. */
export async function startRawGrpcServer(answer: (stream: ServerHttp2Stream) => void): Promise<RawGrpcServer> {
  const paths: string[] = [];
  const sessions = new Set<Http2Session>();
  const server = createServer();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    paths.push(String(headers[':path']));
    stream.on('error', () => undefined);
    answer(stream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    paths,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
