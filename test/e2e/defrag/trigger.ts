import { setTimeout as delay } from 'node:timers/promises';
import { type Arena, lockKey } from './arena.ts';
import type { Moment } from './scenario.ts';

/**
 * Resolves once the moment has come, with the member that is, or was just, worked on, or comes first; rejects when `signal`
 * is aborted.
 */
export async function awaitMoment({ kind, step, delayMs }: Moment, arena: Arena, signal: AbortSignal): Promise<string> {
  const member = await find(kind, step, arena, signal);
  await delay(delayMs, undefined, { signal });
  return member;
}

async function find(kind: Moment['kind'], step: number, arena: Arena, signal: AbortSignal): Promise<string> {
  if (kind === 'before') return arena.firstFollower();
  return kind === 'call' ? nthRecord(arena, step, signal) : nthFlight(arena, kind, step, signal);
}

/**
 * The member of the n-th record that was written before a call. Every member is watched: the one that is called next
 * delivers nothing while it works.
 */
async function nthRecord(arena: Arena, n: number, signal: AbortSignal): Promise<string> {
  const prefix = `${lockKey}.defrag/`;
  const begun = new Set<string>();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  await using watchers = new AsyncDisposableStack();
  signal.addEventListener('abort', () => reject(signal.reason as Error));
  for (const client of arena.clients) {
    const watcher = await client.watch().prefix(prefix).create();
    watchers.defer(() => watcher.cancel().catch(() => undefined));
    watcher.on('put', ({ key, value, mod_revision: revision }) => {
      if ('afterBytes' in (JSON.parse(value.toString()) as object)) return;
      begun.add(revision);
      const id = key.toString().slice(prefix.length);
      const [name = ''] = [...arena.peers].find(([, peer]) => peer.id.padStart(16, '0') === id) ?? [];
      if (begun.size === n) resolve(name);
    });
  }
  return await promise;
}

/** The n-th member that is seen to be defragmented, when that begins or when it is over. */
async function nthFlight(arena: Arena, kind: Moment['kind'], n: number, signal: AbortSignal): Promise<string> {
  let member = '';
  for (let flight = 0; flight < n; flight++) {
    ({ member } = await arena.sampler.next(({ isDefragmenting }) => isDefragmenting, signal));
    if (kind === 'during' && flight === n - 1) return member;
    await arena.sampler.next((sample) => sample.member === member && !sample.isDefragmenting, signal);
  }
  return member;
}
