import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { Socket } from 'node:net';
import { parseEndpoint } from './endpoints.ts';
import { dial, dialTimeoutMs } from './dial.ts';
import { interruptedBy } from './errors.ts';
import { explainConnectFailure } from './explain-connect-failure.ts';
import { readTlsFiles, type TlsFiles, type TlsMaterial } from './tls-files.ts';

export interface SessionOptions {
  /** A client URL of the member. */
  readonly endpoint: string;
  readonly tls: TlsFiles | undefined;
  /** Bytes that the member may send ahead of what was read, on the whole connection and on each stream. */
  readonly windowBytes: number;
}

export interface Connection extends Disposable {
  /** An error that nobody waits for is swallowed and shows as `closed`. */
  readonly session: ClientHttp2Session;
}

/**
 * An HTTP/2 connection to one member, directly: no proxy of the environment is used. Resolves once the server's first
 * frame came, so that a refused client certificate or a server that speaks something else is noticed here.
 * The caller disposes it, which takes effect at once.
 */
export async function openConnection(options: SessionOptions, signal: AbortSignal): Promise<Connection> {
  const endpoint = parseEndpoint(options.endpoint);
  const limit = AbortSignal.timeout(dialTimeoutMs);
  const either = AbortSignal.any([signal, limit]);
  let tls: TlsMaterial | undefined;
  try {
    tls = endpoint.secure ? await readTlsFiles(options.tls ?? {}, either) : undefined;
    const socket = await dial(endpoint, tls, either);
    const session = connect(endpoint.url, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: options.windowBytes },
    });
    await firstFrame(session, socket, either);
    session.setLocalWindowSize(options.windowBytes);
    return {
      session,
      [Symbol.dispose]() {
        session.destroy();
        // A session that was closed before has only ended its side of the socket, which stays until the peer ends its own:
        // for a dead one, until TCP gives up.
        socket.destroy();
      },
    };
  } catch (error) {
    if (signal.aborted) throw interruptedBy(signal);
    throw await explainConnectFailure(endpoint, tls, limit.aborted ? 'timeout' : error, signal);
  }
}

async function firstFrame(session: ClientHttp2Session, socket: Socket, signal: AbortSignal): Promise<void> {
  const lost = new AbortController();
  session.on('error', () => undefined);
  session.on('close', () => lost.abort(new Error('the server closed the connection before it said anything')));
  // node neither closes the socket nor ends the session above it when a TLS alert comes after the handshake.
  socket.on('error', (error) => {
    lost.abort(error);
    socket.destroy();
  });
  try {
    await once(session, 'remoteSettings', { signal: AbortSignal.any([signal, lost.signal]) });
  } catch (error) {
    session.destroy();
    socket.destroy();
    throw lost.signal.aborted ? lost.signal.reason : error;
  }
}
