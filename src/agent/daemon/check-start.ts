import { createServer } from 'node:http';
import type { Config } from '../../config/schema.ts';
import { listenAt } from '../http/listen.ts';
import { toWardenError, WardenError } from '../../errors/warden-error.ts';
import type { Outlet } from '../hand-on-metrics.ts';

/** Finds what would keep the daemon, or the one-shot runs of the same configuration, from working; rejects with all of it. */
export async function checkStart({ http }: Config, outlets: readonly Outlet[]): Promise<void> {
  const tried = await Promise.allSettled([tryPort(http.listen), ...outlets.map((outlet) => outlet.check())]);
  const [first, ...others] = tried.flatMap((outcome) =>
    outcome.status === 'rejected' ? [toWardenError(outcome.reason)] : [],
  );
  if (first === undefined) return;
  if (others.length === 0) throw first;
  const errors = [first, ...others];
  throw new WardenError(first.code, errors.map(({ message }) => message).join('\n'), {
    details: { codes: errors.map(({ code }) => code) },
    hint: errors.map(({ hint }) => hint).join(' '),
    cause: first,
  });
}

async function tryPort(address: Config['http']['listen']): Promise<void> {
  const server = createServer();
  try {
    await listenAt(server, address);
  } finally {
    server.close();
  }
}
