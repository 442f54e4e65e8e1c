import { createEtcd, type EtcdOptions } from '../../../src/adapters/etcd/etcd.ts';
import type { Etcd, EtcdMember } from '../../../src/ports/etcd.ts';
import type { Cluster } from '../../support/etcd.ts';

/** The adapter, set up for a cluster of the tests. */
export function etcdFor(cluster: Pick<Cluster, 'endpoints' | 'certificates'>, more: Partial<EtcdOptions> = {}): Etcd {
  const { endpoints, certificates } = cluster;
  const tls = certificates && { caFile: certificates.caFile, ...certificates.client };
  return createEtcd({ endpoints, discovery: 'members', endpointMap: new Map(), tls, ...more });
}

/** A client for what answers at `endpoint`, whoever that is. */
export function memberAt(endpoint: string, more: Partial<EtcdOptions> = {}): EtcdMember {
  const etcd = createEtcd({ endpoints: [endpoint], discovery: 'static', endpointMap: new Map(), ...more });
  return etcd.connect({ id: 0n, name: 'any', isLearner: false, endpoint });
}

/** A signal that nobody aborts. */
export const never: AbortSignal = new AbortController().signal;
