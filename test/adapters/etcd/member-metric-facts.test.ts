import { expect, test } from 'vitest';
import { readMemberMetrics } from '../../../src/adapters/etcd/member-metric-facts.ts';

const service = 'grpc_service="etcdserverpb.Maintenance",grpc_type="server_stream"';
const facts = (...lines: string[]): unknown => readMemberMetrics(['etcd_server_has_leader 1', ...lines, ''].join('\n'));

test('counts the snapshot streams that began and did not end, however they ended', () => {
  const started = `grpc_server_started_total{grpc_method="Snapshot",${service}} 9`;
  const handled = ['OK 4', 'Unknown 2', 'Canceled 1'].map((each) => {
    const [code, count] = each.split(' ');
    return `grpc_server_handled_total{grpc_code="${code}",grpc_method="Snapshot",${service}} ${count}`;
  });
  const others = [
    `grpc_server_started_total{grpc_method="Status",${service}} 100`,
    'grpc_server_started_total{grpc_method="Snapshot",grpc_service="other.Service"} 50',
    'grpc_server_handled_total{grpc_code="OK",grpc_method="Watch",grpc_service="etcdserverpb.Watch"} 7',
  ];
  expect(facts(started, ...handled, ...others)).toMatchObject({ facts: { openSnapshots: 2 } });
  // The two counters are not read at one instant.
  expect(facts(...handled, ...others)).toMatchObject({ facts: { openSnapshots: 0 } });
  expect(facts(...others)).toMatchObject({ facts: { openSnapshots: 0 } });
});

test('knows of no snapshot streams where gRPC is not counted', () => {
  expect(facts('etcd_disk_defrag_inflight 0')).toEqual({
    facts: {
      quotaBytes: undefined,
      openSnapshots: undefined,
      raftSnapshotsInFlight: 0,
      openReadTransactions: undefined,
      isDefragmenting: false,
    },
    memberId: undefined,
  });
});

// field: F082
test.each([
  ['2.147483648e+09', 2_147_483_648],
  ['8.589934592e+09', 8_589_934_592],
  ['0', 0],
  ['-1', -1],
])('a quota written %s is %i bytes', (written, quotaBytes) => {
  expect(facts(`etcd_server_quota_backend_bytes ${written}`)).toMatchObject({ facts: { quotaBytes } });
});

test('adds up the raft snapshots to every member', () => {
  const to = (id: string, count: number): string => `etcd_network_snapshot_send_inflights_total{To="${id}"} ${count}`;
  expect(facts(to('a1', 1), to('a2', 0), to('a3', 2))).toMatchObject({ facts: { raftSnapshotsInFlight: 3 } });
});

test('knows the member by the id that stands at 1', () => {
  const lines = ['etcd_server_id{server_id="8e9e05c52164694d"} 1', 'etcd_server_id{server_id="0"} 0'];
  expect(facts(...lines)).toMatchObject({ memberId: '8e9e05c52164694d' });
});

test.each([
  ['a web page', '<html></html>'],
  ['metrics of something else', 'grpc_server_started_total{grpc_method="Snapshot"} 1\nnode_load1 0.2\n'],
  ['an etcd that only tells its Go runtime', 'go_goroutines 7\n'],
])('takes nothing from %s', (_, text) => {
  expect(readMemberMetrics(text)).toBeUndefined();
});
