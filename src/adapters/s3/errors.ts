import { WardenError, type ErrorDetails } from '../../errors/warden-error.ts';
import { answerOf, type Answer } from '../aws/sdk-answer.ts';
import { interruptionOf } from '../store-layers/interruption.ts';
import { codeOfAnswer, codeOfKeyError, regionOf } from './answer-codes.ts';
import { archived } from './archived-object.ts';
import { connectionError } from './connection-errors.ts';
import { notS3 } from './not-s3.ts';

export interface S3Request {
  /** As S3 names it: `PutObject`. */
  readonly operation: string;
  readonly bucket: string;
  /** Name in the bucket. */
  readonly name?: string | undefined;
  /** URL, or `AWS` where none is set. */
  readonly endpoint: string;
  /** As configured. */
  readonly caFile?: string | undefined;
  /** Whether the request carried checksum headers that a store may not know. */
  readonly sentChecksum: boolean;
}

/** The one place where errors of AWS, HTTP, sockets and TLS become ours. */
export function toStoreError(thrown: unknown, request: S3Request, signal: AbortSignal): WardenError {
  if (signal.aborted) return interruptionOf(signal);
  if (thrown instanceof WardenError) return thrown;
  const answer = answerOf(thrown);
  const where = `${request.operation} ${placeOf(request)}`;
  if (answer.status === undefined) return connectionError(thrown, request, where);
  const code = codeOfAnswer(answer, request);
  const context = { cause: thrown, details: detailsOf(answer) };
  if (code === 'store-wrong-region') return wrongRegion(answer, request, context);
  if (code === 'store-clock-skew') {
    const skew = skewSeconds(answer);
    return new WardenError(code, `${where}: the clocks of the store and of this machine differ by ${skew}.`, context);
  }
  if (code === 'store-object-archived') return archived(answer, request, where, context);
  if (code === undefined) return notS3(answer, request, where, context);
  const said = [answer.code, `HTTP ${answer.status}`, answer.requestId && `request ${answer.requestId}`].filter(
    Boolean,
  );
  const reason = wrongKeys.get(answer.code) ?? reasonOf(answer);
  return new WardenError(code, `${where}: ${reason} (${said.join(', ')})`, {
    ...context,
    ...(wrongKeys.has(answer.code) && { hint: checkKeys }),
  });
}

/** The error for one key of a request for many that was answered: S3 gives a code and a text for it, and no status. */
export function toKeyError(
  said: { readonly Code?: string | undefined; readonly Message?: string | undefined },
  request: S3Request,
): WardenError {
  const { Code: awsCode = '', Message: message = '' } = said;
  const reason = message === '' ? 'refused without a reason' : message;
  return new WardenError(codeOfKeyError(awsCode), `${request.operation} ${placeOf(request)}: ${reason} (${awsCode})`, {
    details: { awsCode, ...lockDetails(message) },
  });
}

const wrongKeys: ReadonlyMap<string, string> = new Map([
  ['InvalidAccessKeyId', 'the store does not know this access key'],
  ['SignatureDoesNotMatch', 'the secret does not fit the access key'],
]);
const checkKeys = 'Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile in use.';

/** Whether nobody here knows if a request was carried out: no answer, one that is cut, or a server that broke down. */
export function isFateUnknown(error: unknown): boolean {
  const { httpStatus: status, mayHaveArrived } = error instanceof WardenError ? error.details : {};
  if (mayHaveArrived === false) return false;
  return typeof status !== 'number' || status < 300 || status >= 500;
}

/** Whether S3 answered with this error code of its own. */
export function isAnswer(error: unknown, awsCode: string): boolean {
  return error instanceof WardenError && error.details['awsCode'] === awsCode;
}

/** Whether S3 says by this refusal that what was asked for is a delete marker. */
export function isDeleteMarker(error: WardenError): boolean {
  return answerOf(error.cause).headers['x-amz-delete-marker'] === 'true';
}

function wrongRegion(
  answer: Answer,
  request: S3Request,
  context: { cause: unknown; details: ErrorDetails },
): WardenError {
  const region = regionOf(answer);
  const right = region === undefined ? 'another region' : `region ${region}`;
  return new WardenError('store-wrong-region', `Bucket ${request.bucket} at ${request.endpoint} is in ${right}.`, {
    ...context,
    details: { ...context.details, ...(region !== undefined && { region }) },
    ...(region !== undefined && { hint: `Set store.region to ${region}.` }),
  });
}

/** Answers to HEAD have no body, and the SDK makes up a text for them. */
function reasonOf(answer: Answer): string {
  return answer.message === '' || answer.message === 'UnknownError' ? 'refused without a reason' : answer.message;
}

function skewSeconds(answer: Answer): string {
  const serverTime = Date.parse(answer.elements['ServerTime'] ?? answer.headers['date'] ?? '');
  return Number.isNaN(serverTime) ? 'too much' : `${Math.round(Math.abs(serverTime - Date.now()) / 1000)} s`;
}

function placeOf(request: S3Request): string {
  return `s3://${request.bucket}/${request.name ?? ''} at ${request.endpoint}`;
}

function detailsOf(answer: Answer): ErrorDetails {
  return {
    awsCode: answer.code,
    httpStatus: answer.status ?? null,
    ...(answer.requestId !== undefined && { requestId: answer.requestId }),
    ...lockDetails(answer.message),
  };
}

/** A lock's refusal has no code of its own: AWS and others say `protected by object lock`, MinIO `WORM protected`. */
function lockDetails(message: string): ErrorDetails {
  return /protected by object lock|WORM[ -]protected/i.test(message) ? { isLocked: true } : {};
}
