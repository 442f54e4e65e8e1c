import * as z from 'zod';
import {
  absolutePath,
  checkedText,
  choice,
  duration,
  flag,
  integer,
  oneOf,
  parsedText,
  section,
  text,
} from '../fields.ts';
import { optionalOption, optionWithDefault, requiredOption, withRule } from '../option.ts';
import { parseSize, type Size } from '../units.ts';
import { originUrl } from '../url-field.ts';
import { awsRegion } from './aws.ts';

/** S3 refuses smaller parts (but the last) and larger ones. Source: Amazon S3 multipart upload limits. */
const partBytes = { least: 5 * 2 ** 20, most: 5 * 2 ** 30 };

const partSize = parsedText<'auto' | Size>(
  'auto or a size from 5MiB to 5GiB',
  /^(auto|[0-9]{1,15}(B|KiB|MiB|GiB))$/,
  (value) => {
    if (value === 'auto') return value;
    const parsed = parseSize(value);
    return parsed !== undefined && parsed.bytes >= partBytes.least && parsed.bytes <= partBytes.most
      ? parsed
      : undefined;
  },
);

const prefix = checkedText('a key prefix such as etcd or backups/etcd', (value) => {
  if (value.length > 512) return 'it is longer than 512 characters';
  if (value === '') return undefined;
  return value.split('/').every((part) => /^[A-Za-z0-9!_.*'()-]+$/.test(part) && part !== '.' && part !== '..')
    ? undefined
    : "its parts are letters, digits and any of !_.*'()-, with single slashes between them";
});

const objectLock = section({
  mode: optionWithDefault(
    oneOf('none', 'governance', 'compliance'),
    'none',
    'governance: rights can lift the lock. compliance: nobody can, the account owner included.',
  ),
  retain: optionWithDefault(
    duration('1d'),
    '30d',
    'How long a stored object cannot be removed. Counts with a mode only.',
  ),
});

const s3 = section({
  type: z.literal('s3'),
  bucket: requiredOption(
    text('a bucket name', /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/),
    'The bucket. It must exist.',
    'etcd-backups',
  ),
  prefix: optionWithDefault(prefix, '', 'Put before every key, without a slash at either end.', 'etcd'),
  region: optionalOption(awsRegion, 'Region of the bucket. Absent: aws.region.', 'eu-central-1'),
  endpoint: optionalOption(
    originUrl(),
    'Where this store is reached. Absent: aws.s3Endpoint.',
    'https://s3.example.com',
  ),
  forcePathStyle: optionWithDefault(
    flag(),
    false,
    'true: the bucket is in the path rather than in the host name; many stores other than AWS want it.',
  ),
  caFile: optionalOption(
    absolutePath(),
    'CA certificates of this store. Absent: aws.caFile.',
    '/etc/etcd-warden/s3-ca.crt',
  ),
  partSize: optionWithDefault(
    partSize,
    'auto',
    'Size of the parts of an upload. auto: as small as 10,000 parts allow; each part under way costs this much memory.',
    '16MiB',
  ),
  concurrency: optionWithDefault(integer(1, 32), 4, 'Parts under way at once.'),
  storageClass: optionalOption(
    text('a storage class such as STANDARD_IA', /^[A-Z][A-Z0-9_]{0,63}$/),
    'Storage class of what is stored. Absent: that of the bucket. Classes that need a thaw cannot be verified or drilled.',
    'STANDARD_IA',
  ),
  serverSideEncryption: optionalOption(
    oneOf('AES256', 'aws:kms', 'aws:kms:dsse'),
    'Encryption by the store, besides ours. Absent: that of the bucket.',
    'AES256',
  ),
  serverSideEncryptionKey: optionalOption(
    text('a KMS key id or ARN', /^[A-Za-z0-9:/_-]{1,2048}$/),
    'KMS key for serverSideEncryption. Absent: the key of the account.',
    'arn:aws:kms:eu-central-1:111122223333:key/0f3d2c1b-4a59-4e6d-8c7b-9a0b1c2d3e4f',
  ),
  checksums: optionWithDefault(
    oneOf('when-supported', 'when-required'),
    'when-supported',
    'when-required: for stores that refuse checksum headers; uploads then carry Content-MD5.',
  ),
  objectLock: optionWithDefault(objectLock, {}, 'Object lock on everything stored. The bucket must have it turned on.'),
});

const directory = section({
  type: z.literal('directory'),
  path: requiredOption(
    absolutePath(),
    'The directory. It must exist, on a disk that is not that of etcd.',
    '/var/backups/etcd',
  ),
});

export const store = choice(
  withRule(
    s3,
    ['serverSideEncryption', 'serverSideEncryptionKey'],
    ({ serverSideEncryption, serverSideEncryptionKey }, complain) => {
      if (serverSideEncryptionKey !== undefined && !serverSideEncryption?.startsWith('aws:kms')) {
        complain(['serverSideEncryptionKey'], 'has an effect with serverSideEncryption: aws:kms only');
      }
    },
  ),
  directory,
);
