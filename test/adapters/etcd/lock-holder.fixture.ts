// Takes the lock and keeps it until its input ends; says what happens, a line each. With nothing open any more it ends by
// itself: nothing here calls exit.
import { once } from 'node:events';
import { createClusterLock } from '../../../src/adapters/etcd/lock.ts';

const { endpoints, key, ttlMs } = JSON.parse(process.argv[2] ?? '') as {
  endpoints: string[];
  key: string;
  ttlMs: number;
};
const options = { endpoints, key, ttlMs, discovery: 'members', endpointMap: new Map<string, string>() } as const;
const outcome = await createClusterLock(options, { now: () => new Date() }).acquire(
  'the child',
  new AbortController().signal,
);
process.stdout.write(`${outcome.kind}\n`);
if (outcome.kind === 'held') {
  const { lock } = outcome;
  lock.lost.addEventListener('abort', () => process.stdout.write(`lost: ${String(lock.lost.reason)}\n`));
  process.stdin.resume();
  await once(process.stdin, 'end');
  await lock[Symbol.asyncDispose]();
  process.stdout.write('given back\n');
}
