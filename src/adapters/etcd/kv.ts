import type { MessageInitShape } from '@bufbuild/protobuf';
import { WardenError } from '../../errors/warden-error.ts';
import {
  Compare_CompareResult,
  Compare_CompareTarget,
  KV,
  type KeyValue,
  type PutRequestSchema,
} from './generated/etcd_pb.ts';
import type { KvClient } from './kv-client.ts';

const textEncoder = new TextEncoder();

/** The key as the cluster has it now, not as one member remembers it. */
export async function readKey(client: KvClient, key: string, signal: AbortSignal): Promise<KeyValue | undefined> {
  const { answer } = await client.call(KV.method.range, { key: textEncoder.encode(key) }, signal);
  return answer.kvs[0];
}

/** The first `limit` keys, in their order, that start with `prefix`, which ends in an ASCII character. */
export async function readKeysBelow(
  client: KvClient,
  prefix: string,
  limit: number,
  signal: AbortSignal,
): Promise<readonly KeyValue[]> {
  const key = textEncoder.encode(prefix);
  // The first key behind all of them: the prefix with its last character one higher.
  const rangeEnd = textEncoder.encode(
    prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1),
  );
  const { answer } = await client.call(KV.method.range, { key, rangeEnd, limit: BigInt(limit) }, signal);
  return answer.kvs;
}

export async function putKey(client: KvClient, key: string, value: string, signal: AbortSignal): Promise<void> {
  await client.call(KV.method.put, { key: textEncoder.encode(key), value: textEncoder.encode(value) }, signal);
}

export type PutIfAbsentOutcome =
  | { readonly kind: 'put'; readonly createRevision: bigint }
  | { readonly kind: 'exists'; readonly found: KeyValue };

/**
 * Makes the key, under a lease that no other key has. Where it is there already under this very lease, an earlier attempt
 * made it whose answer was lost, and the outcome is `put`.
 */
export async function putIfAbsent(
  client: KvClient,
  entry: { readonly key: string; readonly value: string; readonly leaseId: bigint },
  signal: AbortSignal,
): Promise<PutIfAbsentOutcome> {
  const key = textEncoder.encode(entry.key);
  const put: MessageInitShape<typeof PutRequestSchema> = {
    key,
    value: textEncoder.encode(entry.value),
    lease: entry.leaseId,
  };
  const isAbsent = {
    key,
    target: Compare_CompareTarget.CREATE,
    result: Compare_CompareResult.EQUAL,
    targetUnion: { case: 'createRevision', value: 0n },
  } as const;
  const request = {
    compare: [isAbsent],
    success: [{ request: { case: 'requestPut', value: put } as const }],
    failure: [{ request: { case: 'requestRange', value: { key } } as const }],
  };
  const { answer } = await client.call(KV.method.txn, request, signal);
  if (answer.succeeded) return { kind: 'put', createRevision: answer.header?.revision ?? 0n };
  const response = answer.responses[0]?.response;
  const found = response?.case === 'responseRange' ? response.value.kvs[0] : undefined;
  if (found === undefined) {
    throw new WardenError('etcd-answer-invalid', `etcd says that the key ${entry.key} exists, but does not show it`);
  }
  return found.lease === entry.leaseId
    ? { kind: 'put', createRevision: found.createRevision }
    : { kind: 'exists', found };
}
