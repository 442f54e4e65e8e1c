import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { type HttpProxy, startHttpProxy } from '../support/http-proxy.ts';
import { startKms, type TestKms } from '../support/kms.ts';
import { restrictedUser, type S3Server, startS3Server } from '../support/s3.ts';
import { fill } from './support/filled-cluster.ts';
import { allowedBy, documentedRoles, enforcePolicy } from './support/iam-policies.ts';
import { awsEnvironment, cloudRepository } from './support/places.ts';
import { type EndedWarden, requireStatus, startWarden } from './support/warden-process.ts';
import { makeTempFolder, type TempFolder, writeConfig } from './support/warden.ts';

/** What a call needs. Source: the AWS service authorization reference for S3. */
const actionOf: Readonly<Record<string, string>> = {
  ListObjectsV2: 's3:ListBucket',
  ListObjectVersions: 's3:ListBucketVersions',
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
  ListParts: 's3:ListMultipartUploadParts',
  GetBucketVersioning: 's3:GetBucketVersioning',
  GetObjectLockConfiguration: 's3:GetBucketObjectLockConfiguration',
  GetObject: 's3:GetObject',
  HeadObject: 's3:GetObject',
  PutObject: 's3:PutObject',
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  DeleteObjects: 's3:DeleteObject',
  DeleteObject: 's3:DeleteObject',
};

/** Asked for where it is allowed, and done without where it is not. */
const optional: ReadonlySet<string> = new Set(['s3:ListMultipartUploadParts', 's3:GetBucketObjectLockConfiguration']);

describe('The policies of docs/iam', () => {
  let cluster: Cluster;
  let s3: S3Server;
  let kms: TestKms;
  let folder: TempFolder;
  let bucket: string;
  let toS3: HttpProxy;
  let toKms: HttpProxy;
  let configFile: string;

  beforeAll(async () => {
    cluster = await startCluster();
    // More than one part of an upload.
    await fill(cluster.endpoints[0] ?? '', 12);
    s3 = await startS3Server();
    kms = await startKms();
    folder = await makeTempFolder();
    bucket = await s3.makeBucket();
    toS3 = await startHttpProxy(s3.endpoint);
    toKms = await startHttpProxy(kms.endpoint);
    configFile = await writeConfig(folder.path, {
      cluster: { name: 'prod', endpoints: cluster.endpoints },
      encryption: { recipients: [{ type: 'aws-kms', keyArn: await kms.createKey() }] },
      aws: { region: 'us-east-1', kmsEndpoint: toKms.url },
      repositories: [
        {
          ...cloudRepository(toS3.url, bucket, { prefix: 'etcd', partSize: '5MiB' }),
          retention: { keepLast: 1, keepMin: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0, maxRemovedPercent: '100%' },
        },
      ],
    });
  });
  afterAll(async () => {
    for (const made of [toS3, toKms, folder, kms, s3, cluster]) await made[Symbol.asyncDispose]();
  });

  /** Runs a command with no more rights than the policy gives; resolves with what it called. */
  async function runAs(role: string, args: readonly string[]): Promise<{ ended: EndedWarden; actions: Set<string> }> {
    await enforcePolicy(s3, bucket, role);
    const [s3Before, kmsBefore] = [toS3.requests.length, toKms.requests.length];
    const env = awsEnvironment(restrictedUser);
    await using running = startWarden([...args, '--json'], { configFile, env });
    const ended = await running.ended;
    const calls = toS3.requests.slice(s3Before).map(({ operation }) => actionOf[operation] ?? operation);
    const keys = toKms.requests
      .slice(kmsBefore)
      .map(({ headers }) => `kms:${String(headers['x-amz-target']).split('.')[1]}`);
    return { ended, actions: new Set([...calls, ...keys].filter((action) => !optional.has(action))) };
  }

  const beyond = (used: ReadonlySet<string>, allowed: ReadonlySet<string>): string[] =>
    [...used].filter((action) => !allowed.has(action));

  it('let backup write and nothing else, also where an upload is aborted', async () => {
    const first = await runAs('backup', ['backup']);
    requireStatus(first.ended, 0);
    toS3.break('UploadPart', { kind: 'error', status: 403, code: 'AccessDenied' });
    const second = await runAs('backup', ['backup']);
    toS3.heal();
    expect(second.ended.status).toBe(1);
    const used = new Set([...first.actions, ...second.actions]);
    const allowed = await allowedBy('backup');
    // One look at the manifest that was stored; without that right the run says so (write-only.e2e.test.ts).
    expect(beyond(used, allowed)).toEqual(['s3:GetObject']);
    expect([...allowed].filter((action) => !used.has(action))).toEqual([]);
    expect(await s3.openUploads(bucket)).toEqual([]);
  });

  it('let verify read, open and record', async () => {
    const { ended, actions } = await runAs('verify', ['verify', '--all']);
    requireStatus(ended, 0);
    expect(ended.json()).toMatchObject({ backups: [{ result: 'verified', recorded: true }] });
    expect([...actions].sort()).toEqual([...(await allowedBy('verify'))].sort());
  });

  it('let restore read and open', async () => {
    const { ended, actions } = await runAs('restore', ['restore', 'latest', '--to', `${folder.path}/restored.db`]);
    requireStatus(ended, 0);
    expect([...actions].sort()).toEqual([...(await allowedBy('restore'))].sort());
  });

  it('let prune list and remove, and neither read nor open', async () => {
    // One to remove beside the newest and the one that was read back.
    for (const _ of [1, 2]) requireStatus((await runAs('backup', ['backup'])).ended, 0);
    const { ended, actions } = await runAs('prune', [
      'prune',
      '--max-removed',
      '100%',
      '--accept',
      'unexplained-backups',
    ]);
    requireStatus(ended, 0);
    expect(await s3.objectNames(bucket)).toHaveLength(5);
    const allowed = await allowedBy('prune');
    // A manifest is read before it goes, to be given back to a hold that comes too late; without that right it just goes.
    expect(beyond(actions, allowed)).toEqual(['s3:GetObject']);
    // An upload is aborted only once it is older than any run.
    expect([...allowed].filter((action) => !actions.has(action))).toEqual(['s3:AbortMultipartUpload']);
  });

  it('let the exporter list, and see all that it has to tell', async () => {
    const { ended, actions } = await runAs('exporter', ['list']);
    requireStatus(ended, 0);
    expect([...actions]).toEqual([...(await allowedBy('exporter'))]);
  });

  it('let one role do all that a daemon does, and no more than the others together', async () => {
    const used = new Set<string>();
    const prune = ['prune', '--max-removed', '100%', '--accept', 'unexplained-backups'];
    for (const args of [['backup'], ['backup'], ['verify', '--all'], prune, ['list']]) {
      const { ended, actions } = await runAs('daemon', args);
      requireStatus(ended, 0);
      for (const action of actions) used.add(action);
    }
    const allowed = await allowedBy('daemon');
    expect(beyond(used, allowed)).toEqual([]);
    const parts = await Promise.all(['backup', 'verify', 'prune', 'exporter'].map(allowedBy));
    expect([...allowed].sort()).toEqual([...new Set(parts.flatMap((part) => [...part]))].sort());
  });

  it('are all tried here', async () => {
    expect(await documentedRoles()).toEqual(['backup', 'daemon', 'exporter', 'prune', 'restore', 'verify']);
  });
});
