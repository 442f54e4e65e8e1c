import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Cluster, type ClusterMember, openReadTransactions } from '../../support/etcd.ts';
import { cleanEnvironment } from '../../support/process.ts';
import { serverBinary } from '../../support/toolchain.ts';

/** What every key of `fill` starts with: to be looked for where no plaintext may be. */
export const filledPrefix = '/registry/secrets/planted/';

/** Puts random values into a cluster without TLS, so many that a stream of them takes a while and does not shrink. */
export async function fill(endpoint: string, sizeMb: number): Promise<void> {
  const keys = [`--prefix=${filledPrefix}`, `--count=${sizeMb * 500}`, '--size=2000', '--batch=64'];
  await promisify(execFile)(serverBinary('etcdfill'), [`--endpoints=${endpoint}`, ...keys], {
    env: cleanEnvironment(),
  });
}

/**
 * The fewest transactions that read a member's database over some looks at it: etcd itself opens one or two now and
 * then. etcd refreshes the number when it commits, so there has to be something to commit.
 */
export async function fewestReadTransactions(cluster: Cluster, member: ClusterMember): Promise<number> {
  let fewest = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 3; look++) {
    await cluster.etcdctl(['put', 'tick', 'tock']);
    fewest = Math.min(fewest, await openReadTransactions(member));
  }
  return fewest;
}

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
