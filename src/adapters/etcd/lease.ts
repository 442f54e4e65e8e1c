import { randomBytes } from 'node:crypto';
import { WardenError } from '../../errors/warden-error.ts';
import { Lease } from './generated/etcd_pb.ts';
import type { KvClient } from './kv-client.ts';

/** A lease as it was last granted or renewed. */
export interface LeaseTerm {
  /** It runs from here on at the latest, by `performance.now()`: the call that etcd answered was not sent earlier. */
  readonly sentMs: number;
  readonly ttlMs: number;
}

/** Chosen here, so that a lease can be revoked even where the answer to its grant was lost. 63 random bits, never 0. */
export function makeLeaseId(): bigint {
  return BigInt.asUintN(63, randomBytes(8).readBigUInt64BE()) || 1n;
}

/** Makes the lease. etcd counts in whole seconds, and gives more than is asked for below its own least. */
export async function grantLease(client: KvClient, id: bigint, ttlMs: number, signal: AbortSignal): Promise<LeaseTerm> {
  const ttlSeconds = Math.ceil(ttlMs / 1000);
  const beganMs = performance.now();
  try {
    const { answer, sentMs } = await client.call(Lease.method.leaseGrant, { ID: id, TTL: BigInt(ttlSeconds) }, signal);
    return { sentMs, ttlMs: Number(answer.TTL) * 1000 };
  } catch (error) {
    // An earlier attempt made it, and its answer was lost.
    if (saysOfLease(error, 'already exists')) return { sentMs: beganMs, ttlMs: ttlSeconds * 1000 };
    throw error;
  }
}

/** Begins the lease anew, for as long as `signal` lets it try; undefined where there is no lease any more. */
export async function renewLease(
  client: KvClient,
  id: bigint,
  signal: AbortSignal,
  noteFailure: (failure: WardenError) => void,
): Promise<LeaseTerm | undefined> {
  const { answer, sentMs } = await client.call(Lease.method.leaseKeepAlive, { ID: id }, signal, noteFailure);
  return answer.TTL > 0n ? { sentMs, ttlMs: Number(answer.TTL) * 1000 } : undefined;
}

/** Ends the lease, and with it every key that is under it. One that is over already is no error. */
export async function revokeLease(client: KvClient, id: bigint, signal: AbortSignal): Promise<void> {
  try {
    await client.call(Lease.method.leaseRevoke, { ID: id }, signal);
  } catch (error) {
    if (!saysOfLease(error, 'not found')) throw error;
  }
}

function saysOfLease(error: unknown, what: 'already exists' | 'not found'): boolean {
  return error instanceof WardenError && new RegExp(`lease ${what}`).test(String(error.details['grpcMessage']));
}
