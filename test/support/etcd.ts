import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Certificates, type KeyPairFiles, makeCertificates } from './certificates.ts';
import { cleanEnvironment, freePorts, type ServerProcess, startServer } from './process.ts';
import { etcdBinary, type EtcdVersion } from './toolchain.ts';

export interface ClusterOptions {
  readonly version?: EtcdVersion;
  /** A version for each member, as in the middle of an upgrade; `version` is that of the tools. */
  readonly versions?: readonly EtcdVersion[];
  readonly members?: 1 | 3;
  /** `mtls`: clients need a certificate; peers speak plain HTTP. */
  readonly tls?: 'none' | 'mtls';
  /** Which certificate the servers show; `server` by default. */
  readonly serverCertificate?: 'server' | 'otherNameServer' | 'expiredServer';
  /** Turns authentication on; the user gets the root role. */
  readonly auth?: { readonly user: string; readonly password: string } | false;
  /** More flags for every member. */
  readonly args?: readonly string[];
  /** Gives the URL under which the others reach a member, such as that of a proxy before the one it listens at. */
  readonly advertisePeer?: (listenUrl: string) => Promise<string>;
}

export interface Cluster extends AsyncDisposable {
  readonly version: EtcdVersion;
  /** Client URLs of the members that were started with the cluster. */
  readonly endpoints: readonly string[];
  readonly members: readonly ClusterMember[];
  /** With `tls: 'mtls'`. */
  readonly certificates: Certificates | undefined;
  /** Runs etcdctl of this version against all endpoints with the right credentials; resolves with stdout. */
  etcdctl(args: readonly string[]): Promise<string>;
  /** Adds a member and starts it. */
  join(name: string, options: { readonly learner: boolean }): Promise<ClusterMember>;
}

export interface ClusterMember {
  readonly name: string;
  readonly endpoint: string;
  readonly peerUrl: string;
  readonly dataDir: string;
  readonly metricsUrl: string;
  /** The running process; another one after `restart`. */
  readonly process: ServerProcess;
  /** Ends the process, if it still runs, and starts it again on the same data and ports. */
  restart(): Promise<void>;
}

/** Starts real etcd on loopback with data in a temporary folder; disposing ends it and removes the folder. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const version = options.version ?? '3.6';
  const root = await mkdtemp(join(tmpdir(), 'warden-etcd-'));
  const certificates = options.tls === 'mtls' ? await makeCertificates() : undefined;
  const shared: Shared = { version, root, certificates, options, token: `test-${Math.random().toString(36).slice(2)}` };
  const running: MemberProcess[] = [];
  const dispose = async (): Promise<void> => {
    await Promise.all(running.map((member) => member.process[Symbol.asyncDispose]()));
    await Promise.all([rm(root, { recursive: true, force: true }), certificates?.[Symbol.asyncDispose]()]);
  };
  try {
    const plans = await planMembers(
      shared,
      Array.from({ length: options.members ?? 1 }, (_, index) => `m${index + 1}`),
    );
    const initialCluster = plans.map((plan) => `${plan.name}=${plan.peerUrl}`).join(',');
    const started = await Promise.allSettled(
      plans.map(async (plan) => running.push(await startMember(shared, plan, initialCluster, 'new'))),
    );
    for (const outcome of started) if (outcome.status === 'rejected') throw outcome.reason;
    running.sort((a, b) => a.name.localeCompare(b.name));
    const endpoints = running.map((member) => member.endpoint);
    if (options.auth) await turnAuthenticationOn(shared, endpoints, options.auth);
    const etcdctl = (args: readonly string[]): Promise<string> =>
      runEtcdctl(shared, endpoints, [...userArgs(options.auth), ...args]);
    const members: readonly ClusterMember[] = [...running];
    return {
      version,
      endpoints,
      members,
      certificates,
      etcdctl,
      join: async (name, { learner }) => {
        const [plan] = await planMembers(shared, [name]);
        if (plan === undefined) throw new Error('no plan for the new member');
        await etcdctl(['member', 'add', name, `--peer-urls=${plan.peerUrl}`, ...(learner ? ['--learner'] : [])]);
        const joined = await startMember(shared, plan, `${initialCluster},${name}=${plan.peerUrl}`, 'existing');
        running.push(joined);
        // Its name and URL come to the others by raft.
        while (!(await etcdctl(['member', 'list'])).includes(`started, ${name},`)) await delay(50);
        return joined;
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/**
 * Transactions that read this member's database: an open snapshot stream is one, and etcd itself holds one or two now
 * and then. The number is that of the last commit: an idle etcd does not refresh it.
 */
export async function openReadTransactions(member: ClusterMember): Promise<number> {
  const metrics = await (await fetch(`${member.metricsUrl}/metrics`)).text();
  const found = /^etcd_(?:debugging_)?mvcc_db_open_read_transactions (\S+)$/m.exec(metrics);
  if (found === null) throw new Error(`${member.name} has no metric for open read transactions`);
  return Number(found[1]);
}

interface Shared {
  readonly version: EtcdVersion;
  readonly root: string;
  readonly certificates: Certificates | undefined;
  readonly options: ClusterOptions;
  readonly token: string;
}

interface MemberPlan {
  readonly name: string;
  readonly version: EtcdVersion;
  readonly endpoint: string;
  readonly listenPeerUrl: string;
  readonly peerUrl: string;
  readonly dataDir: string;
  readonly metricsUrl: string;
}

type MemberProcess = ClusterMember & { process: ServerProcess };

async function planMembers(shared: Shared, names: readonly string[]): Promise<MemberPlan[]> {
  const ports = await freePorts(names.length * 3);
  const scheme = shared.certificates === undefined ? 'http' : 'https';
  const { versions, advertisePeer } = shared.options;
  return Promise.all(
    names.map(async (name, index) => {
      const [client, peer, metrics] = ports.slice(index * 3);
      const listenPeerUrl = `http://127.0.0.1:${peer}`;
      return {
        name,
        version: versions?.[index] ?? shared.version,
        endpoint: `${scheme}://127.0.0.1:${client}`,
        listenPeerUrl,
        peerUrl: (await advertisePeer?.(listenPeerUrl)) ?? listenPeerUrl,
        metricsUrl: `http://127.0.0.1:${metrics}`,
        dataDir: join(shared.root, name),
      };
    }),
  );
}

async function startMember(
  shared: Shared,
  plan: MemberPlan,
  initialCluster: string,
  state: 'new' | 'existing',
): Promise<MemberProcess> {
  const args = [
    `--name=${plan.name}`,
    `--data-dir=${plan.dataDir}`,
    `--listen-client-urls=${plan.endpoint}`,
    `--advertise-client-urls=${plan.endpoint}`,
    `--listen-peer-urls=${plan.listenPeerUrl}`,
    `--initial-advertise-peer-urls=${plan.peerUrl}`,
    `--listen-metrics-urls=${plan.metricsUrl}`,
    `--initial-cluster=${initialCluster}`,
    `--initial-cluster-state=${state}`,
    `--initial-cluster-token=${shared.token}`,
    '--log-level=warn',
    '--unsafe-no-fsync',
    // Else members may only be added five seconds after the last one connected.
    '--strict-reconfig-check=false',
    ...tlsArgs(shared),
    ...(shared.options.args ?? []),
  ];
  const start = (): Promise<ServerProcess> =>
    startServer(etcdBinary('etcd', plan.version), args, () => isReady(plan, state));
  const member: MemberProcess = {
    ...plan,
    process: await start(),
    restart: async () => {
      await member.process[Symbol.asyncDispose]();
      member.process = await start();
    },
  };
  return member;
}

/** A voter is ready once it serves linearizable reads; a learner never does, so its metrics have to do. */
async function isReady(plan: MemberPlan, state: 'new' | 'existing'): Promise<boolean> {
  const path = state === 'new' ? '/health' : '/metrics';
  return (await fetch(plan.metricsUrl + path, { signal: AbortSignal.timeout(2_000) })).ok;
}

function tlsArgs({ certificates, options }: Shared): string[] {
  if (certificates === undefined) return [];
  const server: KeyPairFiles = certificates[options.serverCertificate ?? 'server'];
  return [
    `--cert-file=${server.certFile}`,
    `--key-file=${server.keyFile}`,
    `--trusted-ca-file=${certificates.caFile}`,
    '--client-cert-auth',
  ];
}

async function turnAuthenticationOn(
  shared: Shared,
  endpoints: readonly string[],
  auth: { readonly user: string; readonly password: string },
): Promise<void> {
  const run = (...args: string[]): Promise<string> => runEtcdctl(shared, endpoints, args);
  // etcd wants a user named root before authentication can be turned on.
  for (const name of new Set(['root', auth.user])) {
    await run('user', 'add', `${name}:${auth.password}`);
    await run('user', 'grant-role', name, 'root');
  }
  await run('auth', 'enable');
}

function userArgs(auth: ClusterOptions['auth']): string[] {
  return auth ? [`--user=${auth.user}:${auth.password}`] : [];
}

async function runEtcdctl(shared: Shared, endpoints: readonly string[], args: readonly string[]): Promise<string> {
  const { certificates } = shared;
  const tls =
    certificates === undefined
      ? []
      : [
          `--cacert=${certificates.caFile}`,
          `--cert=${certificates.client.certFile}`,
          `--key=${certificates.client.keyFile}`,
        ];
  const { stdout } = await promisify(execFile)(
    etcdBinary('etcdctl', shared.version),
    [`--endpoints=${endpoints.join(',')}`, ...tls, ...args],
    { env: cleanEnvironment(), maxBuffer: 64 * 1024 * 1024, timeout: 60_000 },
  );
  return stdout;
}
