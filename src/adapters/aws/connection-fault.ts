import { describeTlsFailure } from '../tls/describe-tls-failure.ts';

/** Where a request was to go, as far as it is configured. */
export interface Destination {
  readonly endpoint?: string | undefined;
  readonly caFile?: string | undefined;
}

/** Why a request to AWS, or to a server that speaks like it, has no answer. */
export interface ConnectionFault {
  readonly kind: 'credentials' | 'tls' | 'network' | 'time' | 'region' | 'other';
  /** One line for operators. */
  readonly text: string;
  /** What to do, where the text does not go without saying. */
  readonly hint?: string;
  /** False where it is certain that no byte of the request left: there was no connection yet to send it over. */
  readonly mayHaveArrived: boolean;
}

export function connectionFault(thrown: unknown, { endpoint, caFile }: Destination): ConnectionFault {
  const { name, code, syscall } = traitsOf(thrown);
  const text = describeTlsFailure(thrown);
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return { kind: 'credentials', text, mayHaveArrived: false };
  }
  if (tlsCodes.test(code) && answerWithoutTls.test(text)) return plainServer;
  if (unknownAuthority.test(code)) {
    return { kind: 'tls', text: `the server certificate is not signed by ${trusted(caFile)} (${code})`, ...notSent };
  }
  if (code === 'CERT_HAS_EXPIRED') return { kind: 'tls', text, hint: renewCertificate, ...notSent };
  if (certificateVerdict.test(code)) return { kind: 'tls', text, ...notSent };
  if (tlsCodes.test(code)) return { kind: 'tls', text, mayHaveArrived: true };
  const refusal = endpoint?.startsWith('http:') === true ? answerOfTls(code, text) : undefined;
  if (refusal !== undefined) return { kind: 'network', text: `${refusal}; ${tryHttps}`, mayHaveArrived: true };
  const mayHaveArrived = !/^(connect|getaddrinfo)$/.test(syscall) && !neverConnected.test(`${code} ${text}`);
  // Before the name: the SDK calls a reset connection a TimeoutError.
  if (networkCodes.test(code)) return { kind: 'network', text, mayHaveArrived };
  if (name === 'TimeoutError' || name === 'AbortError') return { kind: 'time', text, mayHaveArrived };
  if (/Region is missing/.test(text)) return { kind: 'region', text, ...notSent };
  return { kind: 'other', text, mayHaveArrived };
}

const notSent = { mayHaveArrived: false } as const;

const plainServer: ConnectionFault = {
  kind: 'tls',
  text: 'https:// was given, but this endpoint speaks plain HTTP',
  hint: 'Write http:// in the endpoint, or turn TLS on in that server.',
  ...notSent,
};

const renewCertificate = 'Renew the certificate of that server, or set the clock of this machine.';
const tryHttps = 'if this endpoint speaks TLS, write https://';

/** OpenSSL's words for a first record that is none of TLS. */
const answerWithoutTls = /wrong version number|packet length too long/;

/** Names of OpenSSL's X.509 errors. Source: Node.js, tls documentation, "X509 certificate error codes". */
const unknownAuthority = /^(UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_|DEPTH_ZERO_)/;
const certificateVerdict = /^(CERT_|UNABLE_TO_|INVALID_CA|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/;
const tlsCodes = /^(ERR_TLS_|ERR_SSL_|EPROTO)/;

const networkCodes =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|HPE_\w+|ERR_PROXY_TUNNEL)$/;

/** Texts of @smithy/node-http-handler's connection timeout and of Node's TLS, and the code of its tunnels. */
const neverConnected = /did not establish a connection|before secure TLS connection|^ERR_PROXY_TUNNEL/;

function trusted(caFile: string | undefined): string {
  return caFile === undefined ? 'a public CA, and caFile is not set' : `a CA in caFile ${caFile}, nor by a public one`;
}

/** How it looks when a TLS server is spoken to in plain HTTP: it hangs up, or sends a TLS alert. */
function answerOfTls(code: string, text: string): string | undefined {
  if (code === 'HPE_INVALID_CONSTANT') return 'what answered is no HTTP';
  const isHangUp = code === 'ECONNRESET' && /^(socket hang up|read ECONNRESET)$/.test(text);
  return isHangUp ? 'the connection was closed before an answer came' : undefined;
}

function traitsOf(thrown: unknown): { name: string; code: string; syscall: string } {
  if (!(thrown instanceof Error)) return { name: '', code: '', syscall: '' };
  // Several addresses were tried (IPv6, IPv4): each has its own error.
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return traitsOf(thrown.errors[0]);
  return {
    name: thrown.name,
    code: 'code' in thrown ? String(thrown.code) : '',
    syscall: 'syscall' in thrown ? String(thrown.syscall) : '',
  };
}
