import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';
import type { Endpoint } from './endpoints.ts';
import { notEtcd } from './errors.ts';
import type { TlsMaterial } from './tls-files.ts';

/**
 * For the TCP connection, the TLS handshake and the first frame of the server together. They take milliseconds; four
 * seconds forgive two lost packets (sent again after one and two more seconds) and do not hold up a run at a dead member.
 */
export const dialTimeoutMs = 4_000;

/**
 * A connected socket for HTTP/2; with TLS the server's certificate is checked. Rejects with what node says, or with the
 * signal's reason.
 */
export async function dial(endpoint: Endpoint, tls: TlsMaterial | undefined, signal: AbortSignal): Promise<Socket> {
  if (tls === undefined) return connected(connectTcp(endpoint.port, endpoint.host), 'connect', signal);
  const socket = await connected(secureSocket(endpoint, tls, 'h2'), 'secureConnect', signal);
  if (socket.alpnProtocol === 'h2') return socket;
  socket.destroy();
  throw notEtcd(endpoint.url, 'no HTTP/2 over TLS, which gRPC needs');
}

/** The same for HTTP/1.1, which every server speaks unless another is agreed on. */
export function dialHttp1(endpoint: Endpoint, tls: TlsMaterial | undefined, signal: AbortSignal): Promise<Socket> {
  if (tls === undefined) return connected(connectTcp(endpoint.port, endpoint.host), 'connect', signal);
  return connected<Socket>(secureSocket(endpoint, tls, 'http/1.1'), 'secureConnect', signal);
}

/** A handshake that accepts any certificate, to look at it. Nothing may be sent over this socket. */
export function dialWithoutTrust(endpoint: Endpoint, signal: AbortSignal): Promise<TLSSocket> {
  const options = { host: endpoint.host, port: endpoint.port, ...sni(endpoint.host), ALPNProtocols: ['h2'] };
  return connected(connectTls({ ...options, rejectUnauthorized: false }), 'secureConnect', signal);
}

function secureSocket(
  endpoint: Endpoint,
  { secureContext, files }: TlsMaterial,
  protocol: 'h2' | 'http/1.1',
): TLSSocket {
  const name = files.serverName ?? endpoint.host;
  return connectTls({
    host: endpoint.host,
    port: endpoint.port,
    secureContext,
    ALPNProtocols: [protocol],
    ...sni(name),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  });
}

/** Server name indication carries names only, never addresses (RFC 6066, section 3); node refuses them. */
function sni(name: string): { servername?: string } {
  return isIP(name) === 0 ? { servername: name } : {};
}

async function connected<S extends Socket>(socket: S, event: string, signal: AbortSignal): Promise<S> {
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    socket.on('error', () => undefined);
    socket.destroy();
    throw error;
  }
}
