import type { ErrorCode } from '../../errors/table.ts';
import type { Answer } from '../aws/sdk-answer.ts';
import type { S3Request } from './errors.ts';
import { isNotS3 } from './not-s3.ts';

/** undefined where what answered is no S3. */
export function codeOfAnswer(answer: Answer, request: S3Request): ErrorCode | undefined {
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

/** For one key of a request for many, which has no status of its own. */
export function codeOfKeyError(awsCode: string): ErrorCode {
  return codeOfAwsCode.get(awsCode) ?? 'store-refused';
}

/** Source: Amazon S3 API reference, "Error responses"; the last group are names that other stores use. */
const codeOfAwsCode: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ['NoSuchBucket', 'store-bucket-missing'],
  ['NoSuchKey', 'store-object-missing'],
  ['NoSuchVersion', 'store-object-missing'],
  ['NoSuchUpload', 'store-refused'],
  ['InvalidObjectState', 'store-object-archived'],
  ['AccessDenied', 'store-access-denied'],
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
  ['ServiceUnavailable', 'store-throttled'],
  ['RequestTimeout', 'store-timeout'],
  ['InternalError', 'store-failed'],
  // Another request for this name is under way.
  ['OperationAborted', 'store-failed'],
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

/** Where S3 says that the bucket is, if it says so. */
export function regionOf(answer: Answer): string | undefined {
  return answer.headers['x-amz-bucket-region'] ?? answer.elements['Region'];
}
