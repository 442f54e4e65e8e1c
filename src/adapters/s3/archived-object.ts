import { WardenError, type ErrorDetails } from '../../errors/warden-error.ts';
import type { Answer } from '../aws/sdk-answer.ts';
import type { S3Request } from './errors.ts';

/** An object that lies in an archive: it is listed and has a size, and its bytes come only hours after they are asked for. */
export function archived(
  answer: Answer,
  { bucket, name = '' }: Pick<S3Request, 'bucket' | 'name'>,
  where: string,
  context: { readonly cause: unknown; readonly details: ErrorDetails },
): WardenError {
  // Source: Amazon S3 API reference, GetObject, InvalidObjectState; Intelligent-Tiering names an access tier.
  const storageClass = answer.elements['AccessTier'] ?? answer.elements['StorageClass'];
  const place = storageClass === undefined ? 'an archive storage class' : `the archive storage class ${storageClass}`;
  return new WardenError('store-object-archived', `${where}: the object was moved to ${place}`, {
    cause: context.cause,
    details: { ...context.details, ...(storageClass !== undefined && { storageClass }) },
    hint:
      `Restore it first with \`aws s3api restore-object --bucket ${bucket} --key '${name}' --restore-request Days=7\`` +
      ' and try again once that is done, or use another backup or repository.',
  });
}
