import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { restrictedUser, type S3Server } from '../../support/s3.ts';

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

interface Policy {
  readonly Version: string;
  readonly Statement: readonly Statement[];
}

const folder = resolve(import.meta.dirname, '../../../docs/iam');

/** The roles that docs/iam has a policy for. */
export async function documentedRoles(): Promise<string[]> {
  return (await readdir(folder)).map((file) => file.replace(/\.json$/, '')).sort();
}

export async function allowedBy(role: string): Promise<Set<string>> {
  const { Statement: statements } = JSON.parse(await readPolicy(role)) as Policy;
  return new Set(statements.flatMap(({ Action }) => [Action].flat()));
}

/** Lets the store enforce the file as it stands on the restricted user: for this bucket, the prefix `etcd` and the cluster `prod`. */
export async function enforcePolicy(s3: S3Server, bucket: string, role: string): Promise<void> {
  const text = (await readPolicy(role))
    .replaceAll('BUCKET', bucket)
    .replaceAll('PREFIX', 'etcd')
    .replaceAll('CLUSTER', 'prod');
  const { Version, Statement: statements } = JSON.parse(text) as Policy;
  const forStore = statements.filter(({ Action }) => [Action].flat().every((action) => action.startsWith('s3:')));
  const granted = forStore.map((statement) => ({ ...statement, Principal: { AWS: [restrictedUser.accessKeyId] } }));
  const document = JSON.stringify({ Version, Statement: granted });
  await s3.client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: document }));
}

function readPolicy(role: string): Promise<string> {
  return readFile(resolve(folder, `${role}.json`), 'utf8');
}
