import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { type HttpFault, type HttpProxy, type SeenRequest, startHttpProxy } from '../support/http-proxy.ts';
import { startKms, type TestKms } from '../support/kms.ts';
import { type Credentials, restrictedUser, type S3Server, startS3Server } from '../support/s3.ts';
import { fill } from './support/filled-cluster.ts';
import { enforcePolicy } from './support/iam-policies.ts';
import { awsEnvironment, cloudRepository } from './support/places.ts';
import { type EndedWarden, requireStatus, startWarden } from './support/warden-process.ts';
import { makeTempFolder, runWarden, type TempFolder, writeConfig } from './support/warden.ts';

const lost: HttpFault = { kind: 'lose-answer' };
/** What stores answer to a completion that they have carried out before: each another one of these, or that it is done. */
const preconditionFailed: HttpFault = { kind: 'error', status: 412, code: 'PreconditionFailed' };
const noSuchUpload: HttpFault = { kind: 'error', status: 404, code: 'NoSuchUpload' };

const refused = expect.stringMatching(/^GetObject s3:.*\/manifest\.json .*AccessDenied/) as unknown;
const notReadBack = { what: 'read-back', because: refused };

describe('A backup with the rights of docs/iam/backup.json', () => {
  let cluster: Cluster;
  let s3: S3Server;
  let kms: TestKms;
  let folder: TempFolder;
  let bucket: string;
  let toS3: HttpProxy;
  /** Configurations whose snapshot takes an upload of many requests, and of one. */
  let inParts: string;
  let atOnce: string;

  beforeAll(async () => {
    cluster = await startCluster();
    // More than one part of an upload.
    await fill(cluster.endpoints[0] ?? '', 12);
    s3 = await startS3Server();
    kms = await startKms();
    folder = await makeTempFolder();
    bucket = await s3.makeBucket();
    toS3 = await startHttpProxy(s3.endpoint);
    await enforcePolicy(s3, bucket, 'backup');
    const keyArn = await kms.createKey();
    const configure = async (directory: string, partSize: string): Promise<string> =>
      writeConfig(directory, {
        cluster: { name: 'prod', endpoints: cluster.endpoints },
        encryption: { recipients: [{ type: 'aws-kms', keyArn }] },
        aws: { region: 'us-east-1', kmsEndpoint: kms.endpoint },
        repositories: [cloudRepository(toS3.url, bucket, { prefix: 'etcd', partSize })],
      });
    inParts = await configure(folder.path, '5MiB');
    atOnce = await configure(await mkdtemp(join(folder.path, 'at-once-')), '64MiB');
  });
  afterEach(() => toS3.heal());
  afterAll(async () => {
    for (const made of [toS3, folder, kms, s3, cluster]) await made[Symbol.asyncDispose]();
  });

  async function backUp(user: Credentials, ...options: readonly string[]): Promise<EndedWarden> {
    return backUpBy(inParts, user, ...options);
  }

  async function backUpBy(configFile: string, user: Credentials, ...options: readonly string[]): Promise<EndedWarden> {
    await using running = startWarden(['backup', ...options], { configFile, env: awsEnvironment(user) });
    return await running.ended;
  }

  async function backUpAs(user: Credentials): Promise<{ readonly unchecked: unknown; readonly log: string }> {
    const ended = requireStatus(await backUp(user, '--json'), 0);
    const { repositories } = ended.json() as { readonly repositories: readonly [{ readonly unchecked: unknown }] };
    return { unchecked: repositories[0].unchecked, log: ended.stderr };
  }

  const isManifest = ({ operation, url }: SeenRequest): boolean =>
    operation === 'PutObject' && url.pathname.endsWith('/manifest.json');

  const isSnapshot = ({ operation, url }: SeenRequest): boolean =>
    operation === 'PutObject' && url.pathname.includes('/snapshot.db');

  it('says what it could not check and who can, to people, to scripts and in one line of the log', async () => {
    const { stdout } = requireStatus(await backUp(restrictedUser), 0);
    expect(stdout.split('\n').filter((line) => line.startsWith('not checked'))).toEqual([
      expect.stringMatching(
        /^not checked {2}cloud: whether it can be read back and opened.*`verify`.*iam\/verify\.json/,
      ),
    ]);
    const { unchecked, log } = await backUpAs(restrictedUser);
    expect(unchecked).toEqual([notReadBack]);
    const lines = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { level: 'info', msg: 'backup stored' },
      { level: 'info', msg: 'stored and not read back', unchecked: ['cloud: read-back'] },
    ]);
  });

  it('has nothing of the kind to say where it may read', async () => {
    const { stdout, stderr } = requireStatus(await backUp(s3.credentials), 0);
    expect(stdout + stderr).not.toMatch(/not checked|not read back/);
    expect((await backUpAs(s3.credentials)).unchecked).toEqual([]);
  });

  it('counts a manifest whose answer was lost, and says that it did not see whose it is', async () => {
    toS3.break(isManifest, lost, 1);
    expect((await backUpAs(restrictedUser)).unchecked).toEqual([
      { what: 'own-manifest', because: refused },
      notReadBack,
    ]);
    toS3.break(isManifest, lost, 1);
    const { stdout } = requireStatus(await backUp(restrictedUser), 0);
    expect(stdout).toMatch(
      /^not checked {2}cloud: whether the manifest there is this run's\..* its name is of this run/m,
    );
    // It was right.
    const env = awsEnvironment(s3.credentials);
    expect(await runWarden(['verify', '--all'], { configFile: inParts, env })).not.toHaveProperty('error');
    toS3.break(isManifest, lost, 1);
    expect((await backUpAs(s3.credentials)).unchecked).toEqual([]);
  });

  type Faults = readonly (readonly [string | ((request: SeenRequest) => boolean), HttpFault])[];

  it.each<[string, () => string, Faults]>([
    ['PutObject', () => atOnce, [[isSnapshot, lost]]],
    [
      'CompleteMultipartUpload, which the store refuses then,',
      () => inParts,
      [
        ['CompleteMultipartUpload', lost],
        ['CompleteMultipartUpload', preconditionFailed],
      ],
    ],
    [
      'CompleteMultipartUpload, of which the store knows no more,',
      () => inParts,
      [
        ['CompleteMultipartUpload', lost],
        ['CompleteMultipartUpload', noSuchUpload],
      ],
    ],
  ])(
    'fails where the answer to %s was lost, and names the right that would tell and the cure',
    async (_, configFile, faults) => {
      const breakOnce = (): void => {
        for (const [matcher, fault] of faults) toS3.break(matcher, fault, 1);
      };
      breakOnce();
      const { error } = requireStatus(await backUpBy(configFile(), restrictedUser, '--json'), 1).json() as {
        readonly error: object;
      };
      expect(error).toMatchObject({
        code: 'no-backup-stored',
        message: expect.stringMatching(
          /answer was lost, and whether it stored the object cannot be told: .* the role lacks s3:GetObject\. Run it again/,
        ) as unknown,
        hint: expect.stringMatching(/^Run it again.*s3:GetObject/) as unknown,
      });
      requireStatus(await backUpBy(configFile(), restrictedUser), 0);
      breakOnce();
      requireStatus(await backUpBy(configFile(), s3.credentials), 0);
    },
  );

  it('does not call an object parts that it may have left and cannot remove', async () => {
    toS3.break('CompleteMultipartUpload', lost);
    const { stderr } = requireStatus(await backUp(restrictedUser), 1);
    expect(stderr).toMatch(/may have left the object, which is safe to remove: HeadObject/);
    expect(stderr).not.toMatch(/may have left parts/);
    expect(await s3.openUploads(bucket)).toEqual([]);
  });
});
