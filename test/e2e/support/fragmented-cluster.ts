import { expect, vi } from 'vitest';
import type { Cluster } from '../../support/etcd.ts';
import { type DefragCall, readDefragCalls } from '../defrag/member-log.ts';
import { fill, filledPrefix } from './filled-cluster.ts';

/** Of a configuration that defragments whatever `fragment` made. */
export const eager = { rules: [{ reclaimableAbove: '8MiB' }], minReclaim: '1MiB', pause: '300ms', cooldown: '0s' };

/** Makes every member due, and waits until each says so. */
export async function fragment(cluster: Cluster, sizeMb: number): Promise<void> {
  await fill(cluster.endpoints[0] ?? '', sizeMb);
  await cluster.etcdctl(['del', '--prefix', filledPrefix]);
  await compactHistory(cluster);
  await vi.waitFor(async () => {
    // A member tells of free pages when it commits.
    await cluster.etcdctl(['put', 'tick', 'tock']);
    for (const { dbSize, dbSizeInUse } of await sizesOf(cluster)) {
      expect(dbSize - dbSizeInUse).toBeGreaterThan(sizeMb * 500_000);
    }
  }, 20_000);
}

/** Up to now. */
export async function compactHistory(cluster: Cluster): Promise<void> {
  const [, revision = ''] = /"revision":(\d+)/.exec(await cluster.etcdctl(['get', 'tick', '--write-out=json'])) ?? [];
  await cluster.etcdctl(['compact', '--physical', revision]);
}

interface Sizes {
  readonly dbSize: number;
  readonly dbSizeInUse: number;
}

export async function sizesOf(cluster: Cluster): Promise<readonly Sizes[]> {
  const printed = await cluster.etcdctl(['endpoint', 'status', '--write-out=json']);
  return (JSON.parse(printed) as { readonly Status: Sizes }[]).map(({ Status }) => Status);
}

/** The Defragment calls of all members that were started with `--log-level=info`, as their own logs tell them, by begin. */
export function defragCallsAt({ members }: Cluster): readonly DefragCall[] {
  return members
    .flatMap(({ name, process }) => readDefragCalls(name, process.output()))
    .sort((a, b) => a.beganMs - b.beganMs);
}

export interface Interval {
  readonly beganMs: number;
  readonly endedMs: number | undefined;
}

export function expectNoOverlap(intervals: readonly Interval[]): void {
  const ordered = intervals.toSorted((a, b) => a.beganMs - b.beganMs);
  for (const [index, { beganMs }] of ordered.entries()) {
    if (index > 0) expect(beganMs).toBeGreaterThanOrEqual(ordered[index - 1]?.endedMs ?? Infinity);
  }
}
