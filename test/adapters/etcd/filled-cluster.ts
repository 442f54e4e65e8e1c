import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { EtcdMember, SnapshotStream } from '../../../src/ports/etcd.ts';
import { type Cluster, type ClusterMember, type ClusterOptions, startCluster } from '../../support/etcd.ts';
import { cleanEnvironment } from '../../support/process.ts';
import { serverBinary } from '../../support/toolchain.ts';
import { never } from './connect.ts';

/** A cluster whose database, some 50 MB, is more than windows and sockets on the way of a snapshot hold. */
export async function startFilledCluster(options: ClusterOptions): Promise<Cluster> {
  const cluster = await startCluster(options);
  try {
    await fill(cluster);
    return cluster;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

export async function fill(cluster: Cluster): Promise<void> {
  const keys = ['--prefix=/fill/', '--count=20000', '--size=2048', '--batch=64'];
  await promisify(execFile)(serverBinary('etcdfill'), [`--endpoints=${cluster.endpoints[0]}`, ...keys], {
    env: cleanEnvironment(),
  });
}

/** Leaves the pages of nearly all keys free. */
export async function emptyOut(cluster: Cluster, member: EtcdMember): Promise<void> {
  await cluster.etcdctl(['del', '--prefix', '/fill/']);
  await cluster.etcdctl(['compact', '--physical', String(await member.readRevision(never))]);
}

/**
 * A snapshot that is not read. A defragmentation waits for it at the end of its work, when it closes the old database: so
 * it lasts for as long as a test wants.
 */
export function holdSnapshot(member: EtcdMember): Promise<SnapshotStream> {
  return member.openSnapshot({ idleTimeoutMs: 60_000 }, never);
}

/** The sum over all series of this name whose labels hold `label`. */
async function sumOfMetric(member: ClusterMember, name: string, label = ''): Promise<number> {
  const text = await (await fetch(`${member.metricsUrl}/metrics`)).text();
  const series = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return series
    .filter((line) => line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** Defragmentations that were carried out to their end. */
export const defragmentations = (member: ClusterMember): Promise<number> =>
  sumOfMetric(member, 'etcd_disk_backend_defrag_duration_seconds_count');

/** Defragment calls that arrived, refused ones too. */
export const defragmentCalls = (member: ClusterMember): Promise<number> =>
  sumOfMetric(member, 'grpc_server_started_total', 'grpc_method="Defragment"');

export const isDefragmenting = async (member: ClusterMember): Promise<boolean> =>
  (await sumOfMetric(member, 'etcd_disk_defrag_inflight')) === 1;
