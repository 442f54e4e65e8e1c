import type { Cluster } from '../../support/etcd.ts';
import { type Fault, startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

/** A proxy in front of every member, to break streams of one or of all. */
export interface ProxiedCluster extends AsyncDisposable {
  /** The section `cluster` of a configuration that reaches each member through its proxy. */
  readonly section: object;
  proxyOf(member: string): TcpProxy;
  /** The same fault for every member. */
  setAll(fault: Fault): void;
}

export async function proxyMembers(cluster: Cluster): Promise<ProxiedCluster> {
  const proxies = new Map<string, TcpProxy>();
  const endpointMap: Record<string, string> = {};
  for (const { name, endpoint } of cluster.members) {
    const proxy = await startTcpProxy(endpoint);
    proxies.set(name, proxy);
    endpointMap[endpoint] = `http://${proxy.address}`;
  }
  return {
    section: { name: 'test', endpoints: cluster.endpoints, endpointMap },
    proxyOf: (member) => {
      const proxy = proxies.get(member);
      if (proxy === undefined) throw new Error(`no member ${member}`);
      return proxy;
    },
    setAll: (fault) => {
      for (const proxy of proxies.values()) proxy.set(fault);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...proxies.values()].map((proxy) => proxy[Symbol.asyncDispose]()));
    },
  };
}
