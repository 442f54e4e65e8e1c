import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** What the proxy does to bytes on their way from the server to the client. Counts are per connection. */
export type Fault =
  | { readonly kind: 'none' }
  /** Resets the connection once this many bytes went through. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Lets this many bytes through and no more; the connection stays open. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number }
  /** Inverts the lowest bit of the byte at this offset. */
  | { readonly kind: 'flip'; readonly atByte: number }
  /** Takes connections and answers nothing, as a firewall that drops does. */
  | { readonly kind: 'blackhole' };

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** host:port, for URLs. */
  readonly address: string;
  /** Connections taken so far. */
  connections(): number;
  /** Bytes sent to clients so far, over all connections. */
  downstreamBytes(): number;
  /** Takes effect at once, on open connections too. */
  set(fault: Fault): void;
}

/** A proxy on a free loopback port in front of `target` (a URL or host:port), to break connections at will. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target.includes('://') ? target : `tcp://${target}`);
  const state: State = { fault: { kind: 'none' }, sockets: new Set(), connections: 0, downstreamBytes: 0, wake: [] };
  const server = createServer((client) => {
    state.connections += 1;
    const upstream = connect(Number(port), hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      state.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        state.sockets.delete(socket);
        // A blackhole swallows the news too.
        if (state.fault.kind !== 'blackhole') other.destroy();
      });
    }
    void forwardUp(client, upstream, state);
    void forwardDown(upstream, client, state);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = (server.address() as { port: number }).port;
  return {
    port: bound,
    address: `127.0.0.1:${bound}`,
    connections: () => state.connections,
    downstreamBytes: () => state.downstreamBytes,
    set: (fault) => {
      state.fault = fault;
      for (const wake of state.wake.splice(0)) wake();
    },
    [Symbol.asyncDispose]: async () => {
      for (const wake of state.wake.splice(0)) wake();
      for (const socket of state.sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

interface State {
  fault: Fault;
  readonly sockets: Set<Socket>;
  connections: number;
  downstreamBytes: number;
  /** Forwarders that wait for another fault to be set. */
  readonly wake: (() => void)[];
}

async function forwardUp(client: Socket, upstream: Socket, state: State): Promise<void> {
  try {
    for await (const chunk of client as AsyncIterable<Buffer>) {
      while (state.fault.kind === 'blackhole') await nextFault(state, client);
      if (!upstream.write(chunk)) await once(upstream, 'drain');
    }
    upstream.end();
  } catch {
    upstream.destroy();
  }
}

async function forwardDown(upstream: Socket, client: Socket, state: State): Promise<void> {
  let passed = 0;
  let debtMs = 0;
  try {
    for await (const received of upstream as AsyncIterable<Buffer>) {
      let chunk = received;
      while (chunk.length > 0) {
        const { fault } = state;
        let allowed = chunk.length;
        if (fault.kind === 'blackhole') allowed = 0;
        if (fault.kind === 'cut' || fault.kind === 'stall')
          allowed = Math.max(0, Math.min(allowed, fault.afterBytes - passed));
        if (fault.kind === 'throttle') allowed = Math.min(allowed, Math.ceil(fault.bytesPerSecond / 20));
        if (fault.kind === 'flip' && fault.atByte >= passed && fault.atByte < passed + allowed) {
          chunk[fault.atByte - passed] = (chunk[fault.atByte - passed] ?? 0) ^ 1;
        }
        if (allowed > 0 && !client.write(chunk.subarray(0, allowed))) await once(client, 'drain');
        passed += allowed;
        state.downstreamBytes += allowed;
        chunk = chunk.subarray(allowed);
        if (fault.kind === 'cut' && passed >= fault.afterBytes) client.resetAndDestroy();
        if (fault.kind === 'throttle') {
          debtMs += (allowed / fault.bytesPerSecond) * 1000;
          // Timers are coarse: many small pieces are paid for at once.
          if (debtMs >= 20) {
            await delay(debtMs);
            debtMs = 0;
          }
        } else if (allowed === 0) await nextFault(state, client);
      }
    }
    client.end();
  } catch {
    client.destroy();
  }
}

/** Resolves when another fault is set; rejects once the client is gone. */
function nextFault(state: State, client: Socket): Promise<void> {
  if (client.destroyed) return Promise.reject(new Error('the client is gone'));
  return new Promise((resolve, reject) => {
    state.wake.push(() => (client.destroyed ? reject(new Error('the client is gone')) : resolve()));
    client.once('close', () => reject(new Error('the client is gone')));
  });
}
