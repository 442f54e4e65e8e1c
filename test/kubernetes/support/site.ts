import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { awsEnvironment, cloudRepository } from '../../e2e/support/places.ts';
import { type Cluster, startCluster } from '../../support/etcd.ts';
import { startKms } from '../../support/kms.ts';
import { type S3Server, startS3Server } from '../../support/s3.ts';
import { type ControlPlane, type Identity, makeIdentity, startControlPlane } from './control-plane.ts';
import { type Image, makeImage } from './image.ts';
import type { Job, List, Pod } from './objects.ts';

/** A Kubernetes whose etcd is to be looked after, and everything that etcd-warden needs beside it. */
export interface Site extends AsyncDisposable {
  readonly etcd: Cluster;
  readonly identity: Identity;
  readonly plane: ControlPlane;
  readonly s3: S3Server;
  readonly bucket: string;
  readonly image: Image;
  /** For files of the test; anybody may write into `handover`. */
  readonly folder: string;
  readonly handover: string;
  /** The agent's configuration, without what the platform fills in. */
  readonly config: object;
  /** Makes a namespace that enforces a Pod Security profile, with the Secrets that the chart is told of. */
  makeNamespace(name: string, profile: 'restricted' | 'baseline' | 'privileged'): Promise<void>;
  /** Every pod of a Job. */
  podsOf(namespace: string, job: string): Promise<readonly Pod[]>;
  /** The pod of a Job that is to be started. */
  waitForPod(namespace: string, job: string): Promise<Pod>;
  job(namespace: string, name: string): Promise<Job>;
}

export async function openSite(): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'warden-kubernetes-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const handover = join(folder, 'handover');
  await mkdir(handover);
  await chmod(handover, 0o777);
  const image = await makeImage(join(folder, 'image'));
  const etcd = stack.use(await startCluster({ version: '3.7', tls: 'mtls' }));
  const s3 = stack.use(await startS3Server());
  const kms = stack.use(await startKms());
  const bucket = await s3.makeBucket();
  const identity = stack.use(await makeIdentity());
  const backend = { endpoint: etcd.endpoints[0] ?? '', certificates: etcd.certificates };
  const plane = stack.use(await startControlPlane(identity, backend));
  const config = {
    cluster: { name: 'prod', endpoints: etcd.endpoints },
    encryption: { recipients: [{ type: 'aws-kms', keyArn: await kms.createKey() }] },
    aws: { region: 'us-east-1', kmsEndpoint: kms.endpoint },
    repositories: [cloudRepository(s3.endpoint, bucket)],
  };
  const podsOf = async (namespace: string, job: string): Promise<readonly Pod[]> => {
    const selector = `batch.kubernetes.io/job-name=${job}`;
    return (await plane.get<List<Pod>>(['pods', '-n', namespace, '-l', selector])).items;
  };
  const resources = stack.move();
  return {
    etcd,
    identity,
    plane,
    s3,
    bucket,
    image,
    folder,
    handover,
    config,
    makeNamespace: async (name, profile) => {
      await plane.kubectl(['create', 'namespace', name]);
      // Pods are refused; of what makes pods the API server warns.
      const labels = ['enforce', 'warn'].map((kind) => `pod-security.kubernetes.io/${kind}=${profile}`);
      await plane.kubectl(['label', 'namespace', name, ...labels]);
      const text = async (file = ''): Promise<string> => readFile(file, 'utf8');
      const { caFile, client } = etcd.certificates ?? {};
      const files = {
        'ca.crt': await text(caFile),
        'tls.crt': await text(client?.certFile),
        'tls.key': await text(client?.keyFile),
      };
      await plane.kubectl(['apply', '-f', '-'], secret(name, 'etcd-client', files));
      await plane.kubectl(['apply', '-f', '-'], secret(name, 'aws', awsEnvironment(s3.credentials)));
    },
    podsOf,
    waitForPod: (namespace, job) =>
      vi.waitFor(
        async () => {
          const pod = (await podsOf(namespace, job)).find(({ status }) => status.phase === 'Pending');
          if (pod === undefined) throw new Error(`${job} has no pod to be started`);
          return pod;
        },
        { timeout: 60_000, interval: 500 },
      ),
    job: (namespace, name) => plane.get<Job>(['job', name, '-n', namespace]),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** The values of a release that finds all of it. */
export function releaseValues({ config }: Site): object {
  return {
    image: { repository: 'registry.invalid/etcd-warden' },
    config,
    etcd: { existingSecret: 'etcd-client' },
    aws: { existingSecret: 'aws' },
  };
}

function secret(namespace: string, name: string, stringData: Readonly<Record<string, string>>): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name }, stringData };
}
