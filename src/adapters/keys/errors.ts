import type { ErrorCode } from '../../errors/table.ts';
import { WardenError } from '../../errors/warden-error.ts';
import { connectionFault, type Destination } from '../aws/connection-fault.ts';
import { answerOf } from '../aws/sdk-answer.ts';

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
/** What the SDK puts where an answer has no error name, and where it has no message. */
const nameless = 'Unknown';
const wordless = 'UnknownError';
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
export function convertKmsError(
  error: unknown,
  operation: KmsOperation,
  keyArn: string,
  destination: Destination,
): WardenError {
  const { code, text, hint } = explain(error, destination);
  const message = `kms:${operation} with ${keyArn} failed: ${text}`;
  return new WardenError(code, message, { cause: error, ...(hint !== undefined && { hint }) });
}

function notKms({ endpoint }: Destination, found: string): Explanation {
  const text = `${endpoint ?? 'the endpoint'} answered, but not as KMS (${found})`;
  return {
    code: 'key-unreachable',
    text,
    hint: 'Check the KMS endpoint: what answers there does not speak the KMS API.',
  };
}

interface Explanation {
  readonly code: ErrorCode;
  readonly text: string;
  readonly hint?: string;
}

function explain(error: unknown, destination: Destination): Explanation {
  const answer = answerOf(error);
  if (answer.status === undefined) {
    const { kind, text, hint } = connectionFault(error, destination);
    // No credentials at all: no right that could be granted would help.
    if (kind === 'credentials') return { code: 'key-denied', text, hint: credentialsHint };
    return { code: 'key-unreachable', text, ...(hint !== undefined && { hint }) };
  }
  const { code: name, message } = answer;
  if (answer.isForeign || name === nameless) return notKms(destination, `HTTP ${answer.status}`);
  if (notOurs.has(name)) {
    return { code: 'no-identity', text: `${name}: it was wrapped by another key, for another context, or was altered` };
  }
  if (message === '' || message === wordless) return { code: codeOf(name), text: name };
  const text = name === '' || name === 'Error' || message.startsWith(name) ? message : `${name}: ${message}`;
  return { code: codeOf(name), text };
}

function codeOf(name: string): ErrorCode {
  if (denied.has(name)) return 'key-denied';
  return unavailable.has(name) ? 'key-unavailable' : 'key-unreachable';
}
