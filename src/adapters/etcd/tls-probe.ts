import { once } from 'node:events';
import { connect } from 'node:net';
import type { DetailedPeerCertificate } from 'node:tls';
import { dialTimeoutMs, dialWithoutTrust } from './dial.ts';
import type { Endpoint } from './endpoints.ts';

/** The certificate that a server shows, with those above it, whether or not it can be trusted. */
export async function serverCertificate(endpoint: Endpoint, signal: AbortSignal): Promise<DetailedPeerCertificate> {
  const socket = await dialWithoutTrust(endpoint, limited(signal));
  const certificate = socket.getPeerCertificate(true);
  socket.destroy();
  return certificate;
}

export async function speaksTls(endpoint: Endpoint, signal: AbortSignal): Promise<boolean> {
  try {
    (await dialWithoutTrust(endpoint, limited(signal))).destroy();
    return true;
  } catch (error) {
    // A server that insists on a client certificate may say so within the handshake.
    return error instanceof Error && 'code' in error && String(error.code).includes('ALERT');
  }
}

/** What an HTTP/2 client says first: its preface and an empty SETTINGS frame. RFC 9113, section 3.4. */
const clientPreface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');

/** HTTP/2 or, as etcd's peer port does, HTTP/1. */
export async function speaksPlainHttp(endpoint: Endpoint, signal: AbortSignal): Promise<boolean> {
  const socket = connect(endpoint.port, endpoint.host);
  try {
    socket.write(clientPreface);
    const [first] = (await once(socket, 'data', { signal: limited(signal) })) as [Buffer];
    // The type of a frame is its fourth byte, and a server's first frame is SETTINGS (4).
    return first[3] === 4 || first.toString('latin1', 0, 5) === 'HTTP/';
  } catch {
    return false;
  } finally {
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

function limited(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(dialTimeoutMs)]);
}
