import { createDefragRecords } from '../../../src/adapters/etcd/defrag-records.ts';
import { describeClusterLockConformance } from '../../conformance/cluster-lock.ts';
import { describeDefragRecordsConformance } from '../../conformance/defrag-records.ts';
import { type ClusterOptions, startCluster } from '../../support/etcd.ts';
import { lockFor, lockKey, optionsFor } from './lock-for.ts';

const auth = { user: 'backup', password: 'a b' };
const clusters: readonly (readonly [string, ClusterOptions])[] = [
  ['etcd 3.5, one member with authentication', { version: '3.5', auth }],
  ['etcd 3.6, three members', { version: '3.6', members: 3 }],
  ['etcd 3.7, one member, mutual TLS and authentication', { version: '3.7', tls: 'mtls', auth }],
];

for (const [name, options] of clusters) {
  const credentials = options.auth
    ? { username: auth.user, readPassword: () => Promise.resolve(auth.password) }
    : undefined;

  describeClusterLockConformance(name, async () => {
    const cluster = await startCluster(options);
    return {
      one: lockFor(cluster, { auth: credentials }),
      other: lockFor(cluster, { auth: credentials, endpoints: cluster.endpoints.toReversed() }),
      deleteKey: async () => void (await cluster.etcdctl(['del', lockKey])),
      [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
    };
  });

  describeDefragRecordsConformance(name, async () => {
    const cluster = await startCluster(options);
    const recordsOptions = { ...optionsFor(cluster), auth: credentials, lockKey };
    return {
      one: createDefragRecords(recordsOptions),
      other: createDefragRecords(recordsOptions),
      [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
    };
  });
}
