import { WardenError, type ErrorDetails } from '../../errors/warden-error.ts';
import type { Answer } from '../aws/sdk-answer.ts';
import type { S3Request } from './errors.ts';

/** These find nothing where there is nothing, and some stores say so without a document; HEAD has none by definition. */
const mayMiss = /^(HeadObject|GetObject|DeleteObject|AbortMultipartUpload|ListParts)$/;

/** Whether something else than an S3 store answered: a web server, a proxy's page, another API. */
export function isNotS3(answer: Answer, { operation }: Pick<S3Request, 'operation'>): boolean {
  if (operation === 'HeadObject') return false;
  // The SDK's words for a 404 without an error code.
  const isBare = answer.code === 'NotFound' && answer.message === 'UnknownError';
  return answer.isForeign || (isBare && !mayMiss.test(operation));
}

/** `store-failed`, which may pass, where a page says that a server is down or an answer is cut; else `store-refused`. */
export function notS3(
  answer: Answer,
  { endpoint }: Pick<S3Request, 'endpoint'>,
  where: string,
  context: { readonly cause?: unknown; readonly details?: ErrorDetails } = {},
): WardenError {
  const status = answer.status ?? 0;
  const mayPass = status < 300 || status === 408 || status === 429 || status >= 500;
  // Go's and nginx's TLS servers answer plain HTTP with this status and a sentence.
  const advice = status === 400 && endpoint.startsWith('http:') ? '; if this endpoint speaks TLS, write https://' : '';
  return new WardenError(
    mayPass ? 'store-failed' : 'store-refused',
    `${where}: the endpoint answered, but not as S3 (HTTP ${status})${advice}`,
    { ...context, hint },
  );
}

/** The error for an answer that says "done" and lacks what every S3 store puts into it. */
export function incompleteAnswer(operation: string, name: string, what: string): WardenError {
  const message = `${operation} of ${name}: the endpoint answered, but not as S3: the answer lacks ${what}`;
  return new WardenError('store-failed', message, { hint });
}

const hint = 'Check the endpoint of the store: what answers there does not speak the S3 API.';
