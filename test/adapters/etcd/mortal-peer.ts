import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface MortalPeer extends AsyncDisposable {
  readonly endpoint: string;
  readonly port: number;
  connections(): number;
  /** From now on it takes connections and says nothing, not even that a connection ends. */
  die(): void;
}

/** Stands before a server, as long as it lives. */
export async function startMortalPeer(target: string): Promise<MortalPeer> {
  const upstreamPort = Number(new URL(target).port);
  const sockets = new Set<Socket>();
  let connections = 0;
  let isDead = false;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    connections += 1;
    const upstream = connect(upstreamPort, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('data', (bytes) => {
        if (!isDead) to.write(bytes);
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    connections: () => connections,
    die: () => {
      isDead = true;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
