import type { ErrorDetails } from '../../errors/warden-error.ts';
import { WardenError } from '../../errors/warden-error.ts';
import type { Answer } from '../aws/sdk-answer.ts';
import type { S3Request } from './errors.ts';

/** These find nothing where there is nothing, and some stores say so without a document; HEAD has none by definition. */
const mayMiss = /^(HeadObject|GetObject|DeleteObject|AbortMultipartUpload|ListParts)$/;

/** Whether something else than an S3 store answered: a web server, a proxy's page, another API. */
export function isNotS3(answer: Answer, { operation }: Pick<S3Request, 'operation'>): boolean {
  if (operation === 'HeadObject') return false;
  return answer.isForeign || (answer.status === 404 && answer.message === 'UnknownError' && !mayMiss.test(operation));
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
    { ...context, hint: 'Check the endpoint of the store: what answers there does not speak the S3 API.' },
  );
}
