import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  S3Client,
  type BucketVersioningStatus,
} from '@aws-sdk/client-s3';
import { createS3Store } from '../../src/adapters/s3/store.ts';
import type { S3StoreOptions } from '../../src/adapters/s3/options.ts';
import { retryWith } from '../../src/adapters/store-layers/retry.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import type { KeyPairFiles } from './certificates.ts';
import { freePorts, startServer } from './process.ts';
import { serverBinary } from './toolchain.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const owner: Credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secretsecret' };

/** May do nothing until a bucket policy says otherwise; the owner passes every policy by. */
export const restrictedUser: Credentials = { accessKeyId: 'AKIARESTRICTED', secretAccessKey: 'restrictedsecret' };

export interface S3Server extends AsyncDisposable {
  readonly endpoint: string;
  readonly credentials: Credentials;
  /** As the owner, for looking behind the adapter's back. */
  readonly client: S3Client;
  makeBucket(options?: {
    readonly objectLock?: boolean;
    readonly versioning?: BucketVersioningStatus;
  }): Promise<string>;
  setVersioning(bucket: string, status: BucketVersioningStatus): Promise<void>;
  /** Allows the restricted user these actions on a bucket and what is in it. */
  allow(bucket: string, actions: readonly string[]): Promise<void>;
  /** Names of the multipart uploads that are open in a bucket. */
  openUploads(bucket: string): Promise<string[]>;
  objectNames(bucket: string): Promise<string[]>;
  /** Of every version and delete marker: its name, and `name (marker)`. */
  versions(bucket: string): Promise<string[]>;
  readObject(bucket: string, name: string): Promise<Buffer>;
}

/** s3d on a free loopback port and a temporary folder. */
export async function startS3Server(
  options: { readonly tls?: KeyPairFiles; readonly virtualHostDomain?: string } = {},
): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'warden-s3-'));
  const [port = 0] = await freePorts(1);
  const endpoint = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  await writeUsers(join(directory, 'iam'));
  const process = await startServer(
    serverBinary('s3d'),
    [
      `-addr=127.0.0.1:${port}`,
      `-data=${directory}`,
      `-access=${owner.accessKeyId}`,
      `-secret=${owner.secretAccessKey}`,
      ...(options.tls === undefined ? [] : [`-tls-cert=${options.tls.certFile}`, `-tls-key=${options.tls.keyFile}`]),
      ...(options.virtualHostDomain === undefined ? [] : [`-domain=${options.virtualHostDomain}`]),
    ],
    () => answers(endpoint),
  );
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: owner });
  const setVersioning = async (bucket: string, status: BucketVersioningStatus) => {
    const VersioningConfiguration = { Status: status };
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
  };
  let buckets = 0;
  return {
    endpoint,
    credentials: owner,
    client,
    setVersioning,
    makeBucket: async ({ objectLock = false, versioning } = {}) => {
      buckets += 1;
      const bucket = `bucket-${buckets}`;
      await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: objectLock }));
      if (versioning !== undefined) await setVersioning(bucket, versioning);
      return bucket;
    },
    allow: async (bucket, actions) => {
      const resources = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
      const statements = actions.map((action) => ({
        Effect: 'Allow',
        Principal: { AWS: [restrictedUser.accessKeyId] },
        Action: [action],
        Resource: /(List(Bucket|BucketVersions|BucketMultipartUploads)|GetBucketVersioning)$/.test(action)
          ? resources[0]
          : resources[1],
      }));
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
      await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
    },
    openUploads: async (bucket) => {
      const answer = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      return (answer.Uploads ?? []).map((upload) => upload.Key ?? '');
    },
    objectNames: async (bucket) => {
      const answer = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
      return (answer.Contents ?? []).map((object) => object.Key ?? '');
    },
    versions: async (bucket) => {
      const answer = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
      const markers = (answer.DeleteMarkers ?? []).map((marker) => `${marker.Key} (marker)`);
      return [...(answer.Versions ?? []).map((version) => version.Key ?? ''), ...markers];
    },
    readObject: async (bucket, name) => {
      const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: name }));
      return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    },
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await process[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The adapter on a bucket of `server`, with what most tests want. */
export function openS3Store(
  server: Pick<S3Server, 'endpoint' | 'credentials'>,
  bucket: string,
  options: Partial<S3StoreOptions> = {},
): ObjectStore {
  return createS3Store({
    bucket,
    prefix: '',
    endpoint: server.endpoint,
    forcePathStyle: true,
    credentials: server.credentials,
    partSizeBytes: 5 * 1024 ** 2,
    concurrency: 2,
    checksums: 'when-supported',
    ...options,
  });
}

/** Waits that suit a server on loopback. */
export const quickRetry = retryWith({ attempts: 6, firstDelayMs: 5, maxDelayMs: 50, budgetMs: 20_000 });

async function writeUsers(directory: string): Promise<void> {
  const { accessKeyId: access, secretAccessKey: secret } = restrictedUser;
  await mkdir(directory, { recursive: true });
  await writeFile(
    join(directory, 'users.json'),
    JSON.stringify({ accessAccounts: { [access]: { access, secret, role: 'user' } } }),
  );
}

/** Any answer will do, and over TLS any certificate: the tests judge both themselves. */
async function answers(endpoint: string): Promise<boolean> {
  if (endpoint.startsWith('http:')) return (await fetch(`${endpoint}/_health`)).ok;
  const { connect } = await import('node:tls');
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
