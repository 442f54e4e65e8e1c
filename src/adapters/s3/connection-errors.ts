import type { ErrorCode } from '../../errors/table.ts';

/** The code of a failure that came without any answer of the store. */
export function codeOfConnectionError(thrown: unknown): ErrorCode {
  const { name, code } = nameAndCode(thrown);
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') return 'store-credentials';
  if (tlsCodes.test(code)) return 'store-tls-failed';
  // Before the name: the SDK calls a reset connection a TimeoutError.
  if (networkCodes.has(code)) return 'store-unreachable';
  if (name === 'TimeoutError' || name === 'AbortError') return 'store-timeout';
  return missingRegion.test(messageOf(thrown)) ? 'store-wrong-region' : 'store-failed';
}

/** Names of Node's TLS and of OpenSSL's X.509 errors. Source: Node.js, tls documentation, "X509 certificate error codes". */
const tlsCodes = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|HOSTNAME_MISMATCH|EPROTO)/;

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'HPE_INVALID_CONSTANT',
  'ERR_PROXY_TUNNEL',
]);

const missingRegion = /Region is missing/;

function nameAndCode(thrown: unknown): { name: string; code: string } {
  if (!(thrown instanceof Error)) return { name: '', code: '' };
  // Several addresses were tried (IPv6, IPv4): each has its own error.
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return nameAndCode(thrown.errors[0]);
  return { name: thrown.name, code: 'code' in thrown ? String(thrown.code) : '' };
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : '';
}
