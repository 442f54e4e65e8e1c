import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/manifest/schema.ts';
import { defragmentCalls } from '../adapters/etcd/filled-cluster.ts';
import { type Cluster, startCluster } from '../support/etcd.ts';
import { type DefragDocument, makeWorkplace, skippedIn, type Workplace } from './support/defrag-command.ts';
import { fill, filledPrefix } from './support/filled-cluster.ts';
import {
  compactHistory,
  defragCallsAt,
  eager,
  expectNoOverlap,
  fragment,
  type Interval,
  sizesOf,
} from './support/fragmented-cluster.ts';
import { type EndedWarden, requireStatus } from './support/warden-process.ts';

let place: Workplace;
beforeEach(async () => {
  place = await makeWorkplace();
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
});

const documentOf = (ended: EndedWarden, exitStatus: number): DefragDocument =>
  requireStatus(ended, exitStatus).json() as DefragDocument;
const defrag = async (exitStatus: number, ...args: readonly string[]): Promise<DefragDocument> =>
  documentOf(await place.run('defrag', ...args), exitStatus);
const sectionOf = ({ endpoints }: Cluster): object => ({ name: 'test', endpoints });

describe('a single member', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ args: ['--log-level=info'] });
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  // field: F065
  test('is defragmented only where that is allowed', async () => {
    await fragment(cluster, 40);
    await place.configure({ cluster: sectionOf(cluster), defrag: eager });
    expect(await defrag(4)).toMatchObject({ because: 'single-member' });
    expect(defragCallsAt(cluster)).toEqual([]);
    await place.configure({ cluster: sectionOf(cluster), defrag: { ...eager, allowSingleMember: true } });
    expect((await defrag(0)).members).toMatchObject([{ name: 'm1' }]);
  });

  // field: F073
  // BC-28
  test('is backed up and defragmented one after the other, though both begin at the same second, five times', async () => {
    await fill(cluster.endpoints[0] ?? '', 60);
    await place.configure({
      cluster: sectionOf(cluster),
      coordination: { lock: 'etcd', ttl: '10s' },
      defrag: { allowSingleMember: true },
    });
    const streams: Interval[] = [];
    const before = defragCallsAt(cluster).length;
    let defragmented = 0;
    for (let cycle = 0; cycle < 5; cycle++) {
      const [backup, sweep] = await Promise.all([place.run('backup'), place.run('defrag', '--force-rule')]);
      const { timings } = (requireStatus(backup, 0).json() as { manifest: Manifest }).manifest;
      streams.push({ beganMs: Date.parse(timings.startedAt), endedMs: Date.parse(timings.committedAt) });
      // Whoever comes second: a backup waits, a sweep leaves and comes again.
      expect([0, 6]).toContain(sweep.status);
      if (sweep.status === 0) defragmented += documentOf(sweep, 0).members.length;
      else defragmented += (await defrag(0, '--force-rule')).members.length;
    }
    const calls = defragCallsAt(cluster).slice(before);
    expect([calls.length, defragmented]).toEqual([5, 5]);
    expectNoOverlap([...streams, ...calls]);
  });
});

// field: F080
// BC-14
test('history that nobody compacts is hinted at and never compacted; once somebody did, its space is given back', async () => {
  await using cluster = await startCluster();
  // Some 40 MB of one key's past.
  await fill(cluster.endpoints[0] ?? '', 20);
  await fill(cluster.endpoints[0] ?? '', 20);
  const [before] = await sizesOf(cluster);
  const quotaMiB = Math.ceil((before?.dbSize ?? 0) / 2 ** 20 / 0.97);
  const section = { ...sectionOf(cluster), quota: `${quotaMiB}MiB` };
  await place.configure({ cluster: section, defrag: { ...eager, allowSingleMember: true } });
  expect(skippedIn(await defrag(0))).toEqual({ m1: expect.stringContaining('history is not compacted') as unknown });
  const [member] = cluster.members;
  expect(member && (await defragmentCalls(member))).toBe(0);
  // What is in the past is still there.
  expect(await cluster.etcdctl(['get', '--rev=2', '--prefix', filledPrefix, '--keys-only', '--limit=1'])).not.toBe('');
  await cluster.etcdctl(['del', '--prefix', filledPrefix]);
  await compactHistory(cluster);
  await cluster.etcdctl(['put', 'tick', 'tock']);
  const { members } = await defrag(0);
  const [{ beforeBytes, afterBytes } = { beforeBytes: 0, afterBytes: 0 }] = members;
  expect(afterBytes).toBeLessThan(beforeBytes / 5);
});

// field: F082
test.each([
  ['0', { bytes: 2 ** 31 }],
  ['8589934592', { bytes: 2 ** 33 }],
  ['-1', { kind: 'unlimited' }],
] as const)('a quota of %s is what the member says that it is', async (flag, quota) => {
  await using cluster = await startCluster({ args: [`--quota-backend-bytes=${flag}`] });
  await place.configure({ cluster: sectionOf(cluster) });
  const seen = requireStatus(await place.run('status'), 0).json() as object;
  expect(seen).toMatchObject({ members: [{ quota }] });
});
