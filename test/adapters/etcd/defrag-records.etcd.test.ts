import { expect, test } from 'vitest';
import { createDefragRecords } from '../../../src/adapters/etcd/defrag-records.ts';
import type { DefragRecord } from '../../../src/ports/defrag-records.ts';
import { startCluster } from '../../support/etcd.ts';
import { wardenError } from '../../support/errors.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { never } from './connect.ts';
import { leftBehind, lockFor, lockKey, optionsFor, take } from './lock-for.ts';

const record: DefragRecord = {
  at: new Date('2026-11-25T03:00:00.123Z'),
  beforeBytes: 200,
  afterBytes: 100,
  durationMs: 42,
  failures: 0,
};
const written =
  '{"version":1,"at":"2026-11-25T03:00:00.123Z","beforeBytes":200,"afterBytes":100,"durationMs":42,"failures":0}';

test('records lie beside the lock, by member id, outlive the lock and have no lease', async () => {
  await using cluster = await startCluster();
  const held = await take(lockFor(cluster));
  await createDefragRecords({ ...optionsFor(cluster), lockKey }).write(0xabcn, record, never);
  await held[Symbol.asyncDispose]();
  const key = '/etcd-warden/lock.defrag/0000000000000abc';
  expect(await leftBehind(cluster)).toEqual({ leases: 0, keys: key });
  expect(await cluster.etcdctl(['get', key, '--print-value-only'])).toBe(`${written}\n`);
});

test('what a stranger or another version wrote there is left out', async () => {
  await using cluster = await startCluster();
  const records = createDefragRecords({ ...optionsFor(cluster), lockKey });
  await records.write(1n, record, never);
  const strange: readonly (readonly [string, string])[] = [
    ['0000000000000002', 'not JSON'],
    ['0000000000000003', written.replace('"version":1', '"version":2')],
    ['0000000000000004', written.replace('200', '-1')],
    ['0000000000000005', `${' '.repeat(4096)}${written}`],
    ['0000000000000006', written.replace('2026-11-25', '2026-13-25')],
    ['6', written],
    ['000000000000000G', written],
    ['0000000000000007/more', written],
  ];
  for (const [name, value] of strange) await cluster.etcdctl(['put', `${lockKey}.defrag/${name}`, value]);
  await cluster.etcdctl(['put', `${lockKey}.defrag0`, written]);
  expect(await records.readAll(never)).toEqual(new Map([[1n, record]]));
});

test('a member that hangs is named within bounded time, and the one that answers is used', async () => {
  await using cluster = await startCluster();
  await using proxy = await startTcpProxy(cluster.endpoints[0] ?? '');
  proxy.set({ kind: 'blackhole' });
  const hanging = `http://${proxy.address}`;
  const alone = createDefragRecords({ ...optionsFor({ ...cluster, endpoints: [hanging] }), lockKey });
  await expect(alone.readAll(never)).rejects.toEqual(wardenError('etcd-unreachable', hanging));
  const both = createDefragRecords({
    ...optionsFor({ ...cluster, endpoints: [hanging, ...cluster.endpoints] }),
    lockKey,
  });
  await both.write(1n, record, never);
  expect(await both.readAll(never)).toEqual(new Map([[1n, record]]));
});
