import type { ErrorCode } from '../../errors/table.ts';
import { WardenError, type ErrorDetails } from '../../errors/warden-error.ts';
import { answerOf, type Answer } from '../aws/sdk-answer.ts';
import { interruptionOf } from '../store-layers/interruption.ts';
import { connectionError } from './connection-errors.ts';
import { isNotS3, notS3 } from './not-s3.ts';

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

/** undefined where what answered is no S3. */
function codeOfAnswer(answer: Answer, request: S3Request): ErrorCode | undefined {
  const status = answer.status ?? 0;
  const known = codeOfAwsCode.get(answer.code);
  if (known !== undefined) return known;
  if (regionOf(answer) !== undefined && (status === 301 || status === 400)) return 'store-wrong-region';
  if (refusesChecksum(answer, request)) return 'store-checksum-refused';
  if (status === 412) return 'store-object-exists';
  if (isNotS3(answer, request)) return undefined;
  if (status === 429 || status === 503) return 'store-throttled';
  if (status === 403 || status === 401) return 'store-access-denied';
  if (status === 404) return 'store-object-missing';
  if (status === 408) return 'store-timeout';
  if (status === 507) return 'store-full';
  // Below 300: an answer that is cut or is no XML. 409: another write under this name is under way.
  if (status < 300 || status === 409 || (status >= 500 && status !== 501)) return 'store-failed';
  return 'store-refused';
}

/** Source: Amazon S3 API reference, "Error responses"; the last group are names that other stores use. */
const codeOfAwsCode: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ['NoSuchBucket', 'store-bucket-missing'],
  ['NoSuchKey', 'store-object-missing'],
  ['NoSuchUpload', 'store-refused'],
  ['PreconditionFailed', 'store-object-exists'],
  ['AuthorizationHeaderMalformed', 'store-wrong-region'],
  ['PermanentRedirect', 'store-wrong-region'],
  ['IllegalLocationConstraintException', 'store-wrong-region'],
  ['RequestTimeTooSkewed', 'store-clock-skew'],
  ['InvalidAccessKeyId', 'store-credentials'],
  ['SignatureDoesNotMatch', 'store-credentials'],
  ['ExpiredToken', 'store-credentials'],
  ['InvalidToken', 'store-credentials'],
  ['TokenRefreshRequired', 'store-credentials'],
  ['SlowDown', 'store-throttled'],
  ['RequestTimeout', 'store-timeout'],
  ['InternalError', 'store-failed'],
  // The bytes changed on their way; sending them again is the cure.
  ['BadDigest', 'store-failed'],
  ['XAmzContentChecksumMismatch', 'store-failed'],
  ['XAmzContentSHA256Mismatch', 'store-failed'],
  ['QuotaExceeded', 'store-full'],
  ['XMinioStorageFull', 'store-full'],
]);

/** Stores that do not know a header say "not implemented", or that an argument is wrong and name the header. */
function refusesChecksum(answer: Answer, request: S3Request): boolean {
  if (!request.sentChecksum) return false;
  return answer.status === 501 || (answer.status === 400 && /checksum|trailer/i.test(answer.message + answer.code));
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

function regionOf(answer: Answer): string | undefined {
  return answer.headers['x-amz-bucket-region'] ?? answer.elements['Region'];
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
  };
}
