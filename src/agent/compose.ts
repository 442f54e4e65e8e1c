import { randomBytes } from 'node:crypto';
import { createDirectoryStore } from '../adapters/directory/store.ts';
import { createDefragRecords } from '../adapters/etcd/defrag-records.ts';
import { createEtcd, type EtcdOptions } from '../adapters/etcd/etcd.ts';
import { createClusterLock } from '../adapters/etcd/lock.ts';
import { createMemberMetrics } from '../adapters/etcd/member-metrics.ts';
import { createAesKeyFileProvider } from '../adapters/keys/aes-key-file.ts';
import { createRsaPrivateKeyProvider, createRsaPublicKeyProvider } from '../adapters/keys/rsa-key-file.ts';
import { createLog, type LogOptions } from '../adapters/observability/log.ts';
import { createMetrics } from '../adapters/observability/metrics.ts';
import { pushToGateway } from '../adapters/observability/push-gateway.ts';
import { checkTextfileTarget, writeTextfile } from '../adapters/observability/textfile.ts';
import { createBrokenStore } from '../adapters/store-layers/broken-store.ts';
import { defaultRetryPolicy, retryWith } from '../adapters/store-layers/retry.ts';
import { withRetries } from '../adapters/store-layers/with-retries.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { createLocalFiles } from '../adapters/system/local-files.ts';
import type { Config } from '../config/schema.ts';
import { toWardenError, WardenError } from '../errors/warden-error.ts';
import { readSecretFile } from '../config/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { DefragRecords } from '../ports/defrag-records.ts';
import type { Etcd } from '../ports/etcd.ts';
import type { KeyProvider } from '../ports/key-provider.ts';
import type { LocalFiles } from '../ports/local-files.ts';
import type { ClusterLock } from '../ports/lock.ts';
import type { Log } from '../ports/log.ts';
import type { MemberMetrics } from '../ports/member-metrics.ts';
import type { MetricsExport } from '../ports/metrics-export.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { Repository } from '../ports/repository.ts';
import { toolVersion } from '../version.ts';
import type { Outlet } from './hand-on-metrics.ts';

/** Who is told what happens. They outlive the parts of a daemon, which are made anew for every run. */
export interface Tellers {
  readonly log: Log;
  readonly measures: Metrics;
}

/** Everything that jobs are made of, for one configuration. Nothing is contacted before a job asks. */
export interface Parts extends AsyncDisposable, Tellers {
  readonly etcd: Etcd;
  readonly metrics: MemberMetrics;
  /** undefined where coordination is turned off. */
  readonly lock: ClusterLock | undefined;
  /** Of several daemons one reads the repositories back; it keeps nobody from the cluster. */
  readonly repositoriesLock: ClusterLock | undefined;
  readonly records: DefragRecords;
  readonly repositories: readonly Repository[];
  readonly recipients: readonly KeyProvider[] | 'none';
  /** Whether what is stored now is encrypted. */
  readonly encrypts: boolean;
  /** Whatever may open a backup: identities first, then the recipients that can. */
  readonly identities: readonly KeyProvider[];
  readonly clock: Clock;
  readonly files: LocalFiles;
  readonly random: (count: number) => Uint8Array;
}

/**
 * Turns a configuration into adapters. The only file that knows every class of them. The SDKs of S3 and KMS are loaded
 * for those who use them: they take 60 MB and a third of a second at start.
 */
export function compose(config: Config, tellers: Tellers): Promise<Parts> {
  return composeWith(config, tellers, (error) => {
    throw error;
  });
}

/** The same where a repository that cannot be opened must not stand in the way of the others: it fails when it is used. */
export function composeLeniently(config: Config, tellers: Tellers): Promise<Parts> {
  return composeWith(config, tellers, (error, name) => {
    return createBrokenStore(
      name,
      new WardenError(error.code, `repository ${name}: ${error.message}`, { cause: error }),
    );
  });
}

async function composeWith(
  config: Config,
  { log, measures }: Tellers,
  onBrokenStore: (error: WardenError, name: string) => ObjectStore,
): Promise<Parts> {
  await using stack = new AsyncDisposableStack();
  const { recipients, identities } = await createKeys(config, stack);
  const etcdOptions = toEtcdOptions(config);
  const etcd = stack.use(createEtcd(etcdOptions));
  const repositories: Repository[] = [];
  for (const { name, store } of config.repositories) {
    const opened = await createStore(store, name, config, log).catch((error: unknown) =>
      onBrokenStore(toWardenError(error), name),
    );
    repositories.push({ name, store: stack.use(opened) });
  }
  const opened = stack.move();
  return {
    etcd,
    metrics: createMemberMetrics({ location: config.cluster.metrics, tls: etcdOptions.tls }),
    lock: lockOf(config, etcdOptions, config.coordination.key),
    repositoriesLock: lockOf(config, etcdOptions, `${config.coordination.key}-repositories`),
    records: createDefragRecords({ ...etcdOptions, lockKey: config.coordination.key }),
    repositories,
    recipients,
    encrypts: recipients !== 'none',
    identities,
    clock: systemClock,
    log,
    measures,
    files: createLocalFiles((error) => log.warn('could not clean up after a restore', { reason: error.message })),
    random: randomBytes,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

export function composeClock(): Clock {
  return systemClock;
}

export function composeMetrics({ cluster }: Config): Metrics & MetricsExport {
  return createMetrics({ cluster: cluster.name, version: toolVersion });
}

export function composeOutlets({ push: { gateway, textfile } }: Config): readonly Outlet[] {
  const outlets: Outlet[] = [];
  if (gateway !== '') {
    outlets.push({
      name: 'the Pushgateway',
      check: async () => undefined,
      deliver: (groups, _, signal) => pushToGateway(gateway, groups, signal),
    });
  }
  if (textfile !== '') {
    outlets.push({
      name: 'push.textfile',
      check: () => checkTextfileTarget(textfile),
      deliver: async (groups, log, signal) => {
        const { lostLines } = await writeTextfile(textfile, groups, signal);
        if (lostLines > 0) log.warn('lines of push.textfile that are not ours were dropped', { lines: lostLines });
      },
    });
  }
  return outlets;
}

export function composeLog({ cluster }: Config, options: Omit<LogOptions, 'base'>): Log {
  return createLog({ ...options, base: { cluster: cluster.name } });
}

/** What commands without a configuration need. */
export function composeFiles(): LocalFiles {
  return createLocalFiles();
}

function lockOf({ coordination: { lock, ttl } }: Config, options: EtcdOptions, key: string): ClusterLock | undefined {
  return lock === 'none' ? undefined : createClusterLock({ ...options, key, ttlMs: ttl.ms }, systemClock);
}

function toEtcdOptions({ cluster }: Config): EtcdOptions {
  const { auth } = cluster;
  return {
    endpoints: cluster.endpoints,
    discovery: cluster.discovery,
    endpointMap: new Map(Object.entries(cluster.endpointMap)),
    tls: cluster.tls,
    auth:
      auth === undefined
        ? undefined
        : {
            username: auth.username,
            readPassword: () => readSecretFile(auth.passwordFile, 'cluster.auth.passwordFile'),
          },
  };
}

async function createKeys(
  config: Config,
  stack: AsyncDisposableStack,
): Promise<Pick<Parts, 'recipients' | 'identities'>> {
  const { encryption } = config;
  if (encryption === 'none') return { recipients: 'none', identities: [] };
  const create = async (key: Key): Promise<KeyProvider> => stack.use(await createKey(key, config));
  const recipients = await Promise.all(encryption.recipients.map(create));
  const further = await Promise.all(encryption.identities.map(create));
  return { recipients, identities: [...further, ...recipients.filter((key) => key.opening !== undefined)] };
}

type Key = Exclude<Config['encryption'], 'none'>['recipients' | 'identities'][number];

async function createKey(key: Key, { aws }: Config): Promise<KeyProvider> {
  switch (key.type) {
    case 'aws-kms': {
      const { createKmsProvider } = await import('../adapters/keys/kms.ts');
      return createKmsProvider({ keyArn: key.keyArn, endpoint: aws.kmsEndpoint, caFile: aws.caFile, proxy: aws.proxy });
    }
    case 'aes-key-file':
      return createAesKeyFileProvider(key);
    case 'rsa-public-key':
      return createRsaPublicKeyProvider(key);
    case 'rsa-private-key':
      return createRsaPrivateKeyProvider(key);
  }
}

async function createStore(
  store: Config['repositories'][number]['store'],
  repository: string,
  { aws }: Config,
  log: Log,
): Promise<ObjectStore> {
  const retry = retryWith(defaultRetryPolicy);
  const onLeftover = (error: Error): void =>
    log.warn('could not clean up after an upload', { repository, reason: error.message });
  if (store.type === 'directory') return withRetries(createDirectoryStore({ path: store.path, onLeftover }), retry);
  const { mode, retain } = store.objectLock;
  const { serverSideEncryption: type, serverSideEncryptionKey: kmsKeyId } = store;
  const { createS3Store } = await import('../adapters/s3/store.ts');
  const s3 = createS3Store({
    bucket: store.bucket,
    prefix: store.prefix,
    region: store.region ?? aws.region,
    endpoint: store.endpoint ?? aws.s3Endpoint,
    forcePathStyle: store.forcePathStyle,
    caFile: store.caFile ?? aws.caFile,
    proxy: aws.proxy,
    partSizeBytes: store.partSize === 'auto' ? 'auto' : store.partSize.bytes,
    concurrency: store.concurrency,
    storageClass: store.storageClass,
    serverSideEncryption: type === undefined ? undefined : { type, kmsKeyId },
    checksums: store.checksums,
    objectLock: mode === 'none' ? undefined : { mode, retainMs: retain.ms },
    retry,
    onLeftover,
  });
  return withRetries(s3, retry);
}
