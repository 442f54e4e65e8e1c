import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';
import type { ErrorCode } from '../../errors/table.ts';
import { describeThrown, isWardenError, WardenError } from '../../errors/warden-error.ts';
import { dialTimeoutMs, dialWithoutTrust } from './dial.ts';
import type { Endpoint } from './endpoints.ts';
import { interruptedBy } from './errors.ts';
import type { TlsMaterial } from './tls-files.ts';

/** Verdicts of OpenSSL on a chain that does not lead to a CA we know. */
const unknownCaCodes: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
]);

/** TLS alerts by which a server turns a client certificate, or its absence, down. */
const clientCertificateAlert =
  /ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/;

/** Errors of the network below TLS and HTTP/2. */
const networkCodes =
  /^E(?:CONNREFUSED|NOTFOUND|AI_AGAIN|HOSTUNREACH|NETUNREACH|TIMEDOUT|ADDRNOTAVAIL|HOSTDOWN|NETDOWN)$|^EAI_/;

/**
 * The reason why no connection came about, as one error with its own code. Where what happened is ambiguous (a server
 * that just closes), it looks whether the endpoint speaks the other scheme.
 */
export async function explainConnectFailure(
  endpoint: Endpoint,
  tls: TlsMaterial | undefined,
  failure: unknown,
  signal: AbortSignal,
): Promise<WardenError> {
  if (isWardenError(failure)) return failure;
  const code = errorCode(failure);
  const failed = (errorCodeOfOurs: ErrorCode, reason: string): WardenError =>
    new WardenError(errorCodeOfOurs, `${endpoint.url}: ${reason}`, {
      cause: failure,
      details: { endpoint: endpoint.url, reason: code },
    });

  if (failure === 'timeout') return failed('etcd-unreachable', `no answer within ${dialTimeoutMs / 1000} s`);
  if (networkCodes.test(code)) return failed('etcd-unreachable', describeThrown(failure));
  try {
    if (tls === undefined) {
      if (await speaksTls(endpoint, signal))
        return failed('etcd-tls-required', 'http:// was given, but this endpoint speaks TLS');
      return failed('etcd-unreachable', `the connection broke before etcd answered: ${describeThrown(failure)}`);
    }
    const ca = tls.files.caFile === undefined ? 'a public CA, and caFile is not set' : `caFile ${tls.files.caFile}`;
    if (unknownCaCodes.has(code))
      return failed('etcd-tls-unknown-ca', `the server certificate is not signed by ${ca} (${code})`);
    if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
      return failed('etcd-tls-expired', describeValidity(await invalidCertificate(endpoint, signal), code));
    }
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
      return failed('etcd-tls-name-mismatch', `the server certificate is for other names: ${describeThrown(failure)}`);
    }
    if (clientCertificateAlert.test(code)) return clientCertificateRefused(tls, failed, code);
    if (await speaksPlainHttp2(endpoint, signal)) {
      return failed('etcd-tls-plain-server', 'https:// was given, but this endpoint speaks plain HTTP');
    }
    return failed('etcd-tls-failed', `the TLS handshake failed: ${describeThrown(failure)}`);
  } catch (error) {
    if (signal.aborted) return interruptedBy(signal);
    return failed('etcd-unreachable', `${describeThrown(failure)}; a second look failed too: ${describeThrown(error)}`);
  }
}

function errorCode(error: unknown): string {
  if (error instanceof AggregateError) return errorCode(error.errors[0]);
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function clientCertificateRefused(
  { files, clientCertificateEnds }: TlsMaterial,
  failed: (code: ErrorCode, reason: string) => WardenError,
  alert: string,
): WardenError {
  if (files.certFile === undefined) {
    return failed(
      'etcd-tls-client-certificate',
      `the server wants a client certificate and certFile is not set (${alert})`,
    );
  }
  if (clientCertificateEnds !== undefined && clientCertificateEnds < new Date()) {
    return failed(
      'etcd-tls-expired',
      `the client certificate ${files.certFile} expired on ${clientCertificateEnds.toISOString()}`,
    );
  }
  return failed(
    'etcd-tls-client-certificate',
    `the server refused the client certificate ${files.certFile} (${alert})`,
  );
}

function describeValidity(certificate: PeerCertificate, code: string): string {
  if (code === 'CERT_NOT_YET_VALID') {
    return `the certificate ${String(certificate.subject.CN)} of the server is valid only from ${new Date(certificate.valid_from).toISOString()} on`;
  }
  return `the certificate ${String(certificate.subject.CN)} of the server expired on ${new Date(certificate.valid_to).toISOString()}`;
}

/** The first certificate of the server's chain that is not valid now; the server's own if all of them are. */
async function invalidCertificate(endpoint: Endpoint, signal: AbortSignal): Promise<PeerCertificate> {
  const socket = await dialWithoutTrust(endpoint, limited(signal));
  const leaf = socket.getPeerCertificate(true);
  socket.destroy();
  for (let certificate = leaf; ; certificate = certificate.issuerCertificate) {
    const now = Date.now();
    if (Date.parse(certificate.valid_to) < now || Date.parse(certificate.valid_from) > now) return certificate;
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
    if (issuer === undefined || issuer.fingerprint256 === certificate.fingerprint256) return leaf;
  }
}

async function speaksTls(endpoint: Endpoint, signal: AbortSignal): Promise<boolean> {
  try {
    (await dialWithoutTrust(endpoint, limited(signal))).destroy();
    return true;
  } catch (error) {
    // A server that wants a certificate may say so in the handshake already.
    return errorCode(error).includes('ALERT');
  }
}

/** What an HTTP/2 client says first: its preface and an empty SETTINGS frame. RFC 9113, section 3.4. */
const clientPreface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');

async function speaksPlainHttp2(endpoint: Endpoint, signal: AbortSignal): Promise<boolean> {
  const socket: Socket = connect(endpoint.port, endpoint.host);
  try {
    socket.end(clientPreface);
    const [first] = (await once(socket, 'data', { signal: limited(signal) })) as [Buffer];
    // The type of the first frame is its fourth byte, and a server's first frame is SETTINGS (4).
    return first[3] === 4;
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
