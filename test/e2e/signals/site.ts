import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Etcd3 } from 'etcd3';
import { type Cluster, type ClusterMember, startCluster } from '../../support/etcd.ts';
import { type HttpProxy, startHttpProxy } from '../../support/http-proxy.ts';
import { startS3Server } from '../../support/s3.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { keepNothingElse } from '../support/bucket-site.ts';
import { fill } from '../support/filled-cluster.ts';
import { awsEnvironment, cloudRepository, localRepository, makePlaces, type Places } from '../support/places.ts';
import { type EndedWarden, type RunningWarden, startWarden } from '../support/warden-process.ts';

const lockKey = '/etcd-warden/lock';

/** Random values, that do not shrink: etcd streams twice as much, and an upload has three parts. */
const databaseMb = 14;
export const streamBytes = 26_000_000;
export const partCount = 3;

/** One cluster and two repositories, behind proxies that tell what a backup is at, for one backup after the other. */
export interface SignalSite extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly member: ClusterMember;
  readonly etcdProxy: TcpProxy;
  readonly s3Proxy: HttpProxy;
  startBackup(options: { readonly spool: boolean }): RunningWarden;
  run(...args: string[]): Promise<EndedWarden>;
  /** Everything in the two stores: objects, open uploads, files and folders. */
  contents(): Promise<string[]>;
  openUploads(): Promise<string[]>;
  isLocked(): Promise<boolean>;
  /** Files in the folders for spools, and for whatever a process may write without being told to. */
  strayFiles(): Promise<string[]>;
}

export async function openSignalSite(): Promise<SignalSite> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await startCluster());
  const [member] = cluster.members;
  if (member === undefined) throw new Error('a cluster without members');
  await fill(member.endpoint, databaseMb);
  const s3 = stack.use(await startS3Server());
  const etcdProxy = stack.use(await startTcpProxy(member.endpoint));
  const s3Proxy = stack.use(await startHttpProxy(s3.endpoint));
  const places = stack.use(await makePlaces(s3, s3Proxy.url));
  const spool = join(places.folder, 'spool');
  const temporary = join(places.folder, 'temporary');
  for (const folder of [spool, temporary]) await mkdir(folder);
  const client = stack.adopt(new Etcd3({ hosts: member.endpoint }), (open) => open.close());
  const cloud = cloudRepository(s3Proxy.url, places.bucket, { partSize: '5MiB', concurrency: 2 });
  const configure = configureWith(places, `http://${etcdProxy.address}`, cloud);
  const spooling = await configure({ spool: { directory: spool, maxSize: '16MiB' } });
  const direct = await configure({});
  const env = { ...awsEnvironment(s3.credentials), TMPDIR: temporary };
  const owned = stack.move();
  return {
    cluster,
    member,
    etcdProxy,
    s3Proxy,
    startBackup: (options) => startWarden(['backup', '--json'], { configFile: options.spool ? spooling : direct, env }),
    run: async (...args) => {
      await using running = startWarden([...args, '--json'], { configFile: direct, env });
      return await running.ended;
    },
    contents: () => places.contents(),
    openUploads: () => s3.openUploads(places.bucket),
    isLocked: async () => (await client.get(lockKey)) !== null,
    strayFiles: async () => (await Promise.all([spool, temporary].map((folder) => readdir(folder)))).flat(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Each backup removes the one before, so that there is something to be done after the manifest. */
function configureWith(places: Places, endpoint: string, cloud: object): (snapshot: object) => Promise<string> {
  const retention = { ...keepNothingElse, keepLast: 1 };
  return (snapshot) =>
    places.configure({
      cluster: { name: 'test', endpoints: [endpoint], discovery: 'static' },
      coordination: { lock: 'etcd', key: lockKey, ttl: '60s' },
      snapshot,
      repositories: [
        { ...cloud, retention },
        { ...localRepository(places.directory), retention },
      ],
      schedules: { backup: { cron: '* * * * *' }, prune: { after: 'backup' } },
      log: { format: 'json' },
    });
}
