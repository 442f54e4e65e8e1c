import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** A member as its peers know it. */
export interface Peer {
  /** As etcd prints ids: hexadecimal. */
  readonly id: string;
  /** The URL that the network advertises for it. */
  readonly peerUrl: string;
}

/** `isolate`: nothing goes in or out, and nobody is told. `throttle`: all of its connections together are that slow. */
export type PeerFault = { readonly kind: 'isolate' } | { readonly kind: 'throttle'; readonly bytesPerSecond: number };

/**
 * What lies between the members of a cluster: a proxy before each of them. Both ends of a connection are known, because
 * etcd names itself in the first request (X-Server-From, etcd server/etcdserver/api/rafthttp), so that one member can be
 * cut off in both directions.
 */
export class PeerNetwork implements AsyncDisposable {
  readonly #servers: Server[] = [];
  readonly #links = new Set<Link>();
  #broken: { readonly peer: Peer; readonly fault: PeerFault } | undefined;
  #owedMs = 0;

  /** Puts a proxy before a member; resolves with the URL to advertise for it. */
  async advertise(listenUrl: string): Promise<string> {
    const { hostname, port } = new URL(listenUrl);
    const server = createServer((client) => this.#take(client, url, () => connect(Number(port), hostname)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    return url;
  }

  /** One member at a time. */
  break(peer: Peer, fault: PeerFault): void {
    this.#broken = { peer, fault };
  }

  /** Connections that were broken end, as they would after a long silence; etcd makes new ones. */
  heal(): void {
    const broken = [...this.#links].filter((link) => this.#faultOf(link) !== undefined);
    this.#broken = undefined;
    for (const { client, upstream } of broken) for (const socket of [client, upstream]) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client, upstream } of this.#links) for (const socket of [client, upstream]) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((closed) => server.close(closed))));
  }

  #take(client: Socket, to: string, dial: () => Socket): void {
    client.on('error', () => undefined);
    client.once('data', (first: Buffer) => {
      const [, from = ''] = /^X-Server-From: (\w+)/im.exec(first.toString('latin1')) ?? [];
      const upstream = dial();
      const link = { client, upstream, from, to };
      this.#links.add(link);
      for (const socket of [client, upstream]) socket.setNoDelay(true).on('error', () => undefined);
      client.on('close', () => upstream.destroy());
      upstream.on('close', () => (client.destroy(), this.#links.delete(link)));
      client.unshift(first);
      void this.#forward(link, client, upstream);
      void this.#forward(link, upstream, client);
    });
  }

  async #forward(link: Link, source: Socket, target: Socket): Promise<void> {
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        const fault = this.#faultOf(link);
        if (fault?.kind === 'isolate') continue;
        if (fault?.kind === 'throttle') {
          this.#owedMs += (chunk.length / fault.bytesPerSecond) * 1000;
          await delay(this.#owedMs);
          this.#owedMs = 0;
        }
        if (!target.write(chunk)) await once(target, 'drain');
      }
      target.end();
    } catch {
      target.destroy();
    }
  }

  #faultOf({ from, to }: Link): PeerFault | undefined {
    if (this.#broken === undefined) return undefined;
    const { peer, fault } = this.#broken;
    return from === peer.id || to === peer.peerUrl ? fault : undefined;
  }
}

interface Link {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly from: string;
  readonly to: string;
}
