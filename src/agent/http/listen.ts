import { once } from 'node:events';
import type { Server } from 'node:http';
import { formatListenAddress, type ListenAddress } from '../../config/schema/outlets.ts';
import { describeThrown, WardenError } from '../../errors/warden-error.ts';

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use',
  EACCES: 'this user may not listen at this port',
  EADDRNOTAVAIL: 'no interface of this machine has this address',
  EAFNOSUPPORT: 'this machine does not speak this kind of address',
  ENOTFOUND: 'the name has no address',
  EAI_AGAIN: 'the name could not be resolved',
};

/** Resolves with the port, which is a free one where 0 was asked for. Rejects with `http-listen-failed`. */
export async function listenAt(server: Server, { host, port }: ListenAddress): Promise<number> {
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const at = formatListenAddress({ host, port });
    throw new WardenError('http-listen-failed', `cannot listen at ${at}: ${reasons[code] ?? describeThrown(error)}`, {
      details: { host, port },
      cause: error,
    });
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
