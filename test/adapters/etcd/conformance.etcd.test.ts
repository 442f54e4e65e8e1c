import { describeEtcdConformance } from '../../conformance/etcd.ts';
import { type ClusterOptions, startCluster } from '../../support/etcd.ts';
import { etcdFor } from './connect.ts';

const clusters: readonly (readonly [string, ClusterOptions])[] = [
  ['etcd 3.5, one member', { version: '3.5' }],
  ['etcd 3.6, three members', { version: '3.6', members: 3 }],
  [
    'etcd 3.7, one member, mutual TLS and authentication',
    { version: '3.7', tls: 'mtls', auth: { user: 'backup', password: 'a b' } },
  ],
];

for (const [name, options] of clusters) {
  describeEtcdConformance(name, async () => {
    const cluster = await startCluster(options);
    const { auth } = options;
    const credentials = auth ? { username: auth.user, readPassword: () => Promise.resolve(auth.password) } : undefined;
    const etcd = etcdFor(cluster, { auth: credentials });
    return { etcd, memberCount: cluster.members.length, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
  });
}
