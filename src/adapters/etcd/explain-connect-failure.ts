import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';
import type { ErrorCode } from '../../errors/table.ts';
import { describeThrown, isWardenError, WardenError } from '../../errors/warden-error.ts';
import { describeTlsFailure } from '../tls/describe-tls-failure.ts';
import { dialTimeoutMs } from './dial.ts';
import type { Endpoint } from './endpoints.ts';
import { interruptedBy, notEtcd } from './errors.ts';
import type { TlsMaterial } from './tls-files.ts';
import { serverCertificate, speaksPlainHttp, speaksTls } from './tls-probe.ts';

/** Errors of the network below TLS and HTTP/2. */
const networkCodes = /^E(?:CONNREFUSED|NOTFOUND|HOSTUNREACH|NETUNREACH|TIMEDOUT|ADDRNOTAVAIL|HOSTDOWN|NETDOWN)$|^EAI_/;

/** Verdicts of OpenSSL on a chain that does not lead to a CA we know. */
const unknownCaCodes =
  /^(?:UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|CERT_SIGNATURE_FAILURE)/;

/** TLS alerts by which a server turns a client certificate, or its absence, down. RFC 8446, section 6.2. */
const clientCertificateAlerts =
  /ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/;

interface Reason {
  readonly code: ErrorCode;
  readonly text: string;
}

/** Why no connection came about, as one error with a code of its own. `failure` is what was thrown, or 'timeout'. */
export async function explainConnectFailure(
  endpoint: Endpoint,
  tls: TlsMaterial | undefined,
  failure: unknown,
  signal: AbortSignal,
): Promise<WardenError> {
  if (isWardenError(failure)) return failure;
  const cause = errorCode(failure);
  const reason = await findReason(endpoint, tls, failure, cause, signal).catch((error: unknown) => ({
    code: 'etcd-unreachable' as const,
    text: `${describeThrown(failure)}; a second look failed too: ${describeThrown(error)}`,
  }));
  if (signal.aborted) return interruptedBy(signal);
  // What answered our first HTTP/2 frame was neither HTTP/2 nor TLS: etcd's peer port, say, or another server altogether.
  if (cause === 'ERR_HTTP2_ERROR' && reason.code !== 'etcd-tls-required') {
    return notEtcd(endpoint.url, 'no HTTP/2, which gRPC needs', failure);
  }
  const details = { endpoint: endpoint.url, cause };
  return new WardenError(reason.code, `${endpoint.url}: ${reason.text}`, { cause: failure, details });
}

async function findReason(
  endpoint: Endpoint,
  tls: TlsMaterial | undefined,
  failure: unknown,
  cause: string,
  signal: AbortSignal,
): Promise<Reason> {
  if (failure === 'timeout') return { code: 'etcd-unreachable', text: `no answer within ${dialTimeoutMs / 1000} s` };
  if (networkCodes.test(cause)) return { code: 'etcd-unreachable', text: describeThrown(failure) };
  if (tls === undefined) {
    // A server that speaks TLS just closes when it is spoken to in plain HTTP.
    if (!(await speaksTls(endpoint, signal))) return { code: 'etcd-unreachable', text: describeThrown(failure) };
    return { code: 'etcd-tls-required', text: 'http:// was given, but this endpoint speaks TLS' };
  }
  const { caFile, serverName } = tls.files;
  if (unknownCaCodes.test(cause)) {
    const expected = caFile === undefined ? 'by a public CA, and caFile is not set' : `by a CA in caFile ${caFile}`;
    return { code: 'etcd-tls-unknown-ca', text: `the server certificate is not signed ${expected} (${cause})` };
  }
  if (cause === 'CERT_HAS_EXPIRED' || cause === 'CERT_NOT_YET_VALID') {
    return { code: 'etcd-tls-expired', text: describeValidity(await serverCertificate(endpoint, signal)) };
  }
  if (cause === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = (await serverCertificate(endpoint, signal)).subjectaltname ?? 'no name at all';
    return {
      code: 'etcd-tls-name-mismatch',
      text: `the server certificate is for ${names}, not for ${serverName ?? endpoint.host}`,
    };
  }
  if (clientCertificateAlerts.test(cause)) return clientCertificateRefused(tls, cause);
  if (await speaksPlainHttp(endpoint, signal)) {
    return { code: 'etcd-tls-plain-server', text: 'https:// was given, but this endpoint speaks plain HTTP' };
  }
  return { code: 'etcd-tls-failed', text: `the TLS handshake failed: ${describeTlsFailure(failure)}` };
}

function errorCode(error: unknown): string {
  // Of several addresses that were tried, the first one's error.
  if (error instanceof AggregateError) return errorCode(error.errors[0]);
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Names the first certificate of the chain that is not valid now, and since or until when. */
function describeValidity(own: DetailedPeerCertificate): string {
  const invalid = chainOf(own).find(
    (each) => Date.parse(each.valid_to) < Date.now() || Date.parse(each.valid_from) > Date.now(),
  );
  const { subject, valid_from: from, valid_to: to } = invalid ?? own;
  const when =
    Date.parse(to) < Date.now()
      ? `expired on ${new Date(to).toISOString()}`
      : `is valid only from ${new Date(from).toISOString()} on`;
  return `the server certificate ${String(subject.CN)} ${when}`;
}

function chainOf(own: DetailedPeerCertificate): readonly PeerCertificate[] {
  const chain = [own];
  for (let issuer: DetailedPeerCertificate | undefined = own.issuerCertificate; issuer && !chain.includes(issuer);) {
    chain.push(issuer);
    issuer = issuer.issuerCertificate;
  }
  return chain;
}

function clientCertificateRefused({ files, clientCertificateEnds }: TlsMaterial, alert: string): Reason {
  const { certFile } = files;
  if (certFile === undefined) {
    return {
      code: 'etcd-tls-client-certificate',
      text: `the server wants a client certificate and certFile is not set (${alert})`,
    };
  }
  if (clientCertificateEnds !== undefined && clientCertificateEnds < new Date()) {
    return {
      code: 'etcd-tls-expired',
      text: `the client certificate ${certFile} expired on ${clientCertificateEnds.toISOString()}`,
    };
  }
  return {
    code: 'etcd-tls-client-certificate',
    text: `the server refused the client certificate ${certFile} (${alert})`,
  };
}
