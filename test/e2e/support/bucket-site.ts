import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { defaultRetryPolicy, retryWith } from '../../../src/adapters/store-layers/retry.ts';
import { withRetries } from '../../../src/adapters/store-layers/with-retries.ts';
import type { S3StoreOptions } from '../../../src/adapters/s3/options.ts';
import type { ObjectStore } from '../../../src/ports/object-store.ts';
import { type Cluster, startCluster } from '../../support/etcd.ts';
import { openS3Store, restrictedUser, type S3Server } from '../../support/s3.ts';
import { awsEnvironment, cloudRepository } from './places.ts';
import { type EndedWarden, type StartOptions, startWarden } from './warden-process.ts';
import { makeTempFolder, writeConfig } from './warden.ts';

/** No rule keeps anything but what always stays: to be spread before the rules of a test. */
export const keepNothingElse = {
  keepLast: 0,
  hourly: 0,
  daily: 0,
  weekly: 0,
  monthly: 0,
  keepMin: 1,
  maxRemovedPercent: '100%',
};

export interface SiteConfig {
  readonly retention?: object;
  /** Changes to the store of the repository `cloud`. */
  readonly store?: object;
  readonly sections?: object;
}

/** A bucket of a test's own, and the command line on it. */
export interface BucketSite extends AsyncDisposable {
  readonly bucket: string;
  /** For configurations and restored snapshots. */
  readonly folder: string;
  /** The adapter on the bucket, with retries, behind the back of the command line. */
  open(options?: Partial<S3StoreOptions>): ObjectStore;
  /** Writes a configuration whose only repository, `cloud`, is the bucket; not encrypted, pruned after each backup. */
  configure(config?: SiteConfig): Promise<string>;
  /** Runs a command with --json to its end. */
  run(configFile: string, args: readonly string[], options?: Partial<StartOptions>): Promise<EndedWarden>;
}

export async function makeBucketSite(
  s3: S3Server,
  { endpoint = s3.endpoint, objectLock = false }: { readonly endpoint?: string; readonly objectLock?: boolean } = {},
): Promise<BucketSite> {
  const folder = await makeTempFolder();
  const bucket = await s3.makeBucket({ objectLock });
  const opened: ObjectStore[] = [];
  let configurations = 0;
  return {
    bucket,
    folder: folder.path,
    open: (options = {}) => {
      const store = withRetries(openS3Store(s3, bucket, options), retryWith(defaultRetryPolicy));
      opened.push(store);
      return store;
    },
    configure: async ({ retention = { ...keepNothingElse, keepLast: 1 }, store = {}, sections = {} } = {}) => {
      const home = join(folder.path, `configuration-${++configurations}`);
      await mkdir(home);
      return writeConfig(home, {
        cluster: { name: 'prod', endpoints: ['http://127.0.0.1:1'] },
        encryption: 'none',
        repositories: [{ ...cloudRepository(endpoint, bucket, store), retention }],
        schedules: { backup: { cron: '* * * * *' }, prune: { after: 'backup' } },
        ...sections,
      });
    },
    run: async (configFile, args, options = {}) => {
      const environment = { ...awsEnvironment(s3.credentials), ...options.env };
      await using running = startWarden([...args, '--json'], { ...options, configFile, env: environment });
      return await running.ended;
    },
    [Symbol.asyncDispose]: async () => {
      for (const store of opened) await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Lets the restricted user do all that a backup with retention takes, but remove only what lies below these names. */
export async function allowRemovals(s3: S3Server, bucket: string, names: readonly string[]): Promise<void> {
  const allow = (actions: readonly string[], resources: readonly string[]): object => ({
    Effect: 'Allow',
    Principal: { AWS: [restrictedUser.accessKeyId] },
    Action: actions,
    Resource: resources.map((resource) => `arn:aws:s3:::${bucket}${resource}`),
  });
  const statements = [
    allow(['s3:ListBucket', 's3:GetBucketVersioning', 's3:ListBucketMultipartUploads'], ['']),
    allow(['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'], ['/*']),
    ...(names.length === 0
      ? []
      : [
          allow(
            ['s3:DeleteObject'],
            names.map((name) => `/${name}*`),
          ),
        ]),
  ];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  await s3.client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
}

/** A cluster whose revision is beyond those of short made-up series: that of one etcd never goes back. */
export async function startGrownCluster(): Promise<Cluster> {
  const cluster = await startCluster();
  for (let revision = 1; revision < 20; revision++) await cluster.etcdctl(['put', 'tick', `${revision}`]);
  return cluster;
}

/** The id of an etcd cluster as keys hold it. */
export async function lineageOf(cluster: Cluster): Promise<string> {
  const printed = await cluster.etcdctl(['endpoint', 'status', '--write-out=fields']);
  const [, id] = /^"ClusterID" : (\d+)$/m.exec(printed) ?? [];
  if (id === undefined) throw new Error(`no cluster id in ${printed}`);
  return BigInt(id).toString(16).padStart(16, '0');
}
