import type { ErrorCode } from '../../errors/table.ts';
import { describeThrown, WardenError } from '../../errors/warden-error.ts';

export type KmsOperation = 'GenerateDataKey' | 'Encrypt' | 'Decrypt';

const denied = new Set([
  'AccessDeniedException',
  'AccessDenied',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'UnrecognizedClientException',
]);
/** The SDK found no credentials at all, so no right that could be granted would help. */
const withoutCredentials = new Set(['CredentialsProviderError', 'TokenProviderError']);
const credentialsHint = 'Give credentials by the AWS chain: environment, profile, web identity or instance role.';
const unavailable = new Set([
  'DisabledException',
  'InvalidKeyUsageException',
  'KMSInvalidStateException',
  'NotFoundException',
]);
/** KMS names one of these when a key is not the one that wrapped, the context is another, or the wrapped key was altered. */
const notOurs = new Set(['IncorrectKeyException', 'InvalidCiphertextException']);

/** A failed KMS call, as what an operator can do about it. Everything that is no answer of KMS counts as unreachable. */
export function convertKmsError(error: unknown, operation: KmsOperation, keyArn: string): WardenError {
  const name = error instanceof Error ? error.name : '';
  const message = `kms:${operation} with ${keyArn} failed: ${explain(error, name)}`;
  if (withoutCredentials.has(name))
    return new WardenError('key-denied', message, { cause: error, hint: credentialsHint });
  return new WardenError(codeOf(name), message, { cause: error });
}

function codeOf(name: string): ErrorCode {
  if (denied.has(name)) return 'key-denied';
  if (unavailable.has(name)) return 'key-unavailable';
  return notOurs.has(name) ? 'no-identity' : 'key-unreachable';
}

function explain(error: unknown, name: string): string {
  if (notOurs.has(name)) return `${name}: it was wrapped by another key, for another context, or was altered`;
  const text = describeThrown(error);
  return name === '' || name === 'Error' || text.startsWith(name) ? text : `${name}: ${text}`;
}
