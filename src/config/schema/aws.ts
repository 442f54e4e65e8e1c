import { absolutePath, section, text } from '../fields.ts';
import { optionalOption } from '../option.ts';
import { originUrl, serviceUrl } from '../url-field.ts';

export const awsRegion = text('a region such as eu-central-1', /^[a-z0-9-]{1,32}$/);

/** S3 and KMS have an endpoint each: no server answers for both. */
export const aws = section({
  region: optionalOption(
    awsRegion,
    'Region of buckets that name none. KMS keys name theirs. Absent: from the AWS environment or profile.',
    'eu-central-1',
  ),
  s3Endpoint: optionalOption(
    originUrl(),
    'Where S3 is reached, if not at its public endpoint.',
    'https://s3.example.com',
  ),
  kmsEndpoint: optionalOption(
    originUrl(),
    'Where KMS is reached, if not at its public endpoint.',
    'https://kms.example.com',
  ),
  proxy: optionalOption(
    serviceUrl({ mayHaveCredentials: true }),
    'Proxy towards S3 and KMS; etcd is never reached through it. Absent: HTTPS_PROXY and NO_PROXY of the environment.',
    'http://proxy.example.com:3128',
  ),
  caFile: optionalOption(
    absolutePath(),
    'CA certificates that S3 and KMS are checked against. Absent: those that the system trusts.',
    '/etc/etcd-warden/aws-ca.crt',
  ),
});
