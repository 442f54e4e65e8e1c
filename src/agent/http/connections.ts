import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export interface Connections {
  destroyAll(): void;
}

/**
 * Holds every connection of a server, busy or not, at most `max` of them. The oldest gives way to a new one: refusing new
 * ones would let whoever opens many keep out the probe on whose answer the life of the pod depends.
 */
export function trackConnections(server: Server, max: number): Connections {
  // A set remembers the order in which its items came.
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const [oldest] = sockets;
    if (sockets.size > max) oldest?.destroy();
  });
  return {
    destroyAll: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
