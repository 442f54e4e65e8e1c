import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface SlowUplink extends AsyncDisposable {
  /** As `target`, but through the uplink. */
  readonly url: string;
  /** Bytes that went up so far. */
  sentBytes(): number;
  /** From now on; 0 stops it, with connections open. */
  setBytesPerSecond(rate: number): void;
}

/** A way to a store that takes its time for what is sent, all connections together. What comes back is not slowed down. */
export async function startSlowUplink(target: string, bytesPerSecond: number): Promise<SlowUplink> {
  let rate = bytesPerSecond;
  let sentBytes = 0;
  /** Whose turn it is: one chunk goes at a time. */
  let turn: Promise<unknown> = Promise.resolve();
  const take = async (chunk: Buffer): Promise<void> => {
    while (rate === 0) await delay(50);
    await delay((chunk.length / rate) * 1000);
    sentBytes += chunk.length;
  };
  const { hostname, port } = new URL(target);
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.on('error', () => undefined);
      socket.on('close', () => other.destroy());
    }
    upstream.pipe(client);
    void (async () => {
      for await (const chunk of client as AsyncIterable<Buffer>) {
        turn = turn.then(() => take(chunk));
        await turn;
        if (!upstream.write(chunk)) await once(upstream, 'drain');
      }
      upstream.end();
    })().catch(() => upstream.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    sentBytes: () => sentBytes,
    setBytesPerSecond: (next) => {
      rate = next;
    },
    [Symbol.asyncDispose]: async () => {
      rate = Infinity;
      server.close();
    },
  };
}
