import { setTimeout as delay } from 'node:timers/promises';
import { Etcd3 } from 'etcd3';
import type { Cluster } from '../../support/etcd.ts';

const prefix = '/garbage/';
const valueBytes = 1_000_000;
const tick = '/tick/';
const maxTicks = 200;

/** One member as `etcdctl endpoint status` prints it. */
export interface MemberState {
  readonly endpoint: string;
  readonly dbSize: number;
  readonly dbSizeInUse: number;
  readonly leader: number;
  readonly memberId: number;
  readonly appliedIndex: number;
}

export async function readMemberStates(cluster: Pick<Cluster, 'etcdctl'>): Promise<readonly MemberState[]> {
  const printed = JSON.parse(await cluster.etcdctl(['endpoint', 'status', '--write-out=json'])) as {
    readonly Endpoint: string;
    readonly Status: Omit<MemberState, 'endpoint' | 'memberId' | 'appliedIndex'> & {
      readonly header: { readonly member_id: number };
      readonly raftAppliedIndex?: number;
    };
  }[];
  return printed.map(({ Endpoint: endpoint, Status: { header, raftAppliedIndex: appliedIndex = 0, ...status } }) => ({
    ...status,
    endpoint,
    memberId: header.member_id,
    appliedIndex,
  }));
}

/** Makes that much of every member's database reclaimable, and waits until all of them say so. */
export async function fragment(cluster: Cluster, garbageMb: number): Promise<void> {
  const client = new Etcd3({ hosts: [...cluster.endpoints] });
  try {
    // Deleted one by one below: a member that is out of space takes nothing else.
    for (let index = 0; index < maxTicks; index++) await client.put(`${tick}${index}`).value('');
    const value = Buffer.alloc(valueBytes, 'garbage');
    for (let index = 0; index < garbageMb; index++) await client.put(`${prefix}${index}`).value(value);
    const { header } = await client.delete().prefix(prefix);
    await client.kv.compact({ revision: header.revision, physical: true });
    await waitUntilReclaimable(cluster, (garbageMb - 3) * valueBytes);
  } finally {
    client.close();
  }
}

/** A member frees pages, and says so, when it commits: there has to be something to commit. */
export async function waitUntilReclaimable(cluster: Pick<Cluster, 'etcdctl'>, leastBytes: number): Promise<void> {
  for (let index = 0; index < maxTicks; index++) {
    const states = await readMemberStates(cluster);
    const furthest = Math.max(...states.map(({ appliedIndex }) => appliedIndex));
    const isReady = states.every(
      ({ dbSize, dbSizeInUse, appliedIndex }) => dbSize - dbSizeInUse >= leastBytes && furthest - appliedIndex < 10,
    );
    if (isReady) return;
    await cluster.etcdctl(['del', `${tick}${index}`]);
    await delay(20);
  }
  throw new Error(`the members do not tell of ${leastBytes} bytes that are reclaimable`);
}

/** HashKV of every member at one revision, as etcdctl prints it. */
export async function hashesAt(cluster: Cluster, revision: number): Promise<readonly number[]> {
  const args = ['endpoint', 'hashkv', `--rev=${revision}`, '--write-out=json'];
  const printed = JSON.parse(await cluster.etcdctl(args)) as { readonly HashKV: { readonly hash: number } }[];
  return printed.map(({ HashKV: { hash } }) => hash);
}

export async function revisionOf(cluster: Cluster): Promise<number> {
  const printed = await cluster.etcdctl(['get', 'tick', '--write-out=json']);
  return (JSON.parse(printed) as { readonly header: { readonly revision: number } }).header.revision;
}
