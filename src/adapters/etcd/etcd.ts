import type { Etcd } from '../../ports/etcd.ts';
import { discover, type DiscoveryOptions } from './discover.ts';
import { MemberClient } from './member.ts';
import type { TlsFiles } from './tls-files.ts';
import { type Credentials, TokenSource } from './token.ts';

export interface EtcdOptions extends DiscoveryOptions {
  readonly tls?: TlsFiles | undefined;
  readonly auth?: Credentials | undefined;
}

/** etcd over gRPC. Nothing is contacted before the first call, and each member client has connections of its own. */
export function createEtcd(options: EtcdOptions): Etcd {
  const connection = { tls: options.tls, tokens: new TokenSource(options.auth) };
  let clusterId = 0n;
  return {
    discover: async (signal) => {
      const view = await discover(options, connection, signal);
      clusterId = view.clusterId;
      return view;
    },
    // From the first discovery on, a member of another cluster is refused.
    connect: (member) => new MemberClient(member, { ...connection, clusterId }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
