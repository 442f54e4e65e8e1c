import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Cluster, ClusterMember } from '../../support/etcd.ts';
import { cleanEnvironment } from '../../support/process.ts';
import { serverBinary } from '../../support/toolchain.ts';

/** What every key of `fill` starts with: to be looked for where no plaintext may be. */
export const filledPrefix = '/registry/secrets/planted/';

const httpTimeoutMs = 10_000;

/** Puts random values into a cluster without TLS, so many that a stream of them takes a while and does not shrink. */
export async function fill(endpoint: string, sizeMb: number): Promise<void> {
  const keys = [`--prefix=${filledPrefix}`, `--count=${sizeMb * 500}`, '--size=2000', '--batch=64'];
  await promisify(execFile)(serverBinary('etcdfill'), [`--endpoints=${endpoint}`, ...keys], {
    env: cleanEnvironment(),
  });
}

/** etcd itself reads in one, and right after a commit often still in the one before. */
const ownReadTransactions = 2;
const looks = 5;

/** A busy machine takes its time to see that a stream is over. */
const streamsEndWithinMs = 20_000;
const mostAttempts = 3;

/**
 * The most transactions that read a member's database, over some looks at it; etcd's own count as two, whether or not they
 * are. etcd counts them when it commits, so there has to be something to commit, and each look waits for that. Plain HTTP
 * and no process, which a busy machine delays little. For clusters without TLS.
 */
export async function mostReadTransactions(cluster: Cluster, member: ClusterMember): Promise<number> {
  let most = ownReadTransactions;
  for (let look = 0; look < looks; look++) {
    const before = await readStorageMetrics(member);
    await put(cluster.endpoints[0] ?? member.endpoint);
    let now = before;
    while (now.commits === before.commits) now = await readStorageMetrics(member);
    most = Math.max(most, now.readTransactions);
  }
  return most;
}

/** The same once every snapshot stream of the member is over, with another look or two where there are more than `before`. */
export async function readTransactionsAfter(cluster: Cluster, member: ClusterMember, before: number): Promise<number> {
  const endMs = performance.now() + streamsEndWithinMs;
  while ((await readStorageMetrics(member)).openSnapshots > 0 && performance.now() < endMs) await delay(20);
  let most = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < mostAttempts && most > before; attempt++) {
    most = await mostReadTransactions(cluster, member);
  }
  return most;
}

async function put(endpoint: string): Promise<void> {
  const text = (value: string): string => Buffer.from(value).toString('base64');
  const answer = await fetch(`${endpoint}/v3/kv/put`, {
    method: 'POST',
    body: JSON.stringify({ key: text('tick'), value: text('tock') }),
    signal: AbortSignal.timeout(httpTimeoutMs),
  });
  if (!answer.ok) throw new Error(`${endpoint} took no put: ${answer.status} ${await answer.text()}`);
}

interface StorageMetrics {
  readonly readTransactions: number;
  readonly commits: number;
  readonly openSnapshots: number;
}

async function readStorageMetrics({ name, metricsUrl }: ClusterMember): Promise<StorageMetrics> {
  const answer = await fetch(`${metricsUrl}/metrics`, { signal: AbortSignal.timeout(httpTimeoutMs) });
  const metrics = await answer.text();
  /** Over all labels of a metric that match. */
  const sum = (metric: string): number => {
    const lines = [...metrics.matchAll(new RegExp(`^${metric} (\\S+)$`, 'gm'))];
    if (lines.length === 0) throw new Error(`${name} has no metric ${metric}`);
    return lines.reduce((total, [, value]) => total + Number(value), 0);
  };
  return {
    readTransactions: sum('etcd_(?:debugging_)?mvcc_db_open_read_transactions'),
    commits: sum('etcd_disk_backend_commit_duration_seconds_count'),
    openSnapshots: sum(`grpc_server_started_total${ofSnapshots}`) - sum(`grpc_server_handled_total${ofSnapshots}`),
  };
}

const ofSnapshots = '\\{[^}]*grpc_method="Snapshot"[^}]*\\}';

/** The member that leads now. */
export async function leaderOf(cluster: Cluster): Promise<ClusterMember> {
  const printed = await cluster.etcdctl(['endpoint', 'status', '--write-out=json']);
  const statuses = JSON.parse(printed) as {
    Endpoint: string;
    Status: { leader: number; header: { member_id: number } };
  }[];
  const leading = statuses.find(({ Status }) => Status.leader === Status.header.member_id);
  const member = cluster.members.find(({ endpoint }) => endpoint === leading?.Endpoint);
  if (member === undefined) throw new Error(`no member leads: ${printed}`);
  return member;
}
