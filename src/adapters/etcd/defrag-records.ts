import { WardenError } from '../../errors/warden-error.ts';
import type { DefragRecord, DefragRecords } from '../../ports/defrag-records.ts';
import { interruptedBy } from './errors.ts';
import type { EtcdOptions } from './etcd.ts';
import { decodeDefragRecord, encodeDefragRecord } from './defrag-records-value.ts';
import { putKey, readKeysBelow } from './kv.ts';
import { type KvClient, openKvClient } from './kv-client.ts';
import { limitTime } from './kv-limit.ts';
import { TokenSource } from './token.ts';

/** As long as the lock is tried for. */
const timeoutMs = 10_000;

const attemptTimeoutMs = 4_000;

/** Members that left leave their records behind; a thousand are some 200 KiB. */
const maxRecords = 1_000;

export interface DefragRecordsOptions extends EtcdOptions {
  /** Key of the cluster's lock; the records lie beside it, under `<lock key>.defrag/<member id, 16 hex digits>`. */
  readonly lockKey: string;
}

/** Records in etcd itself, without a lease. Rejects with the codes of etcd; nothing stays open between calls. */
export function createDefragRecords(options: DefragRecordsOptions): DefragRecords {
  const tokens = new TokenSource(options.auth);
  const prefix = `${options.lockKey}.defrag/`;

  async function withClient<T>(
    signal: AbortSignal,
    work: (client: KvClient, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (signal.aborted) throw interruptedBy(signal);
    using limit = limitTime(signal, timeoutMs, () => {
      return new WardenError('etcd-deadline', `no member answered within ${timeoutMs / 1000} s`);
    });
    const connection = { tls: options.tls, tokens };
    await using client = await openKvClient({ ...options, attemptTimeoutMs }, connection, limit.signal);
    return await work(client, limit.signal);
  }

  return {
    readAll: (signal) =>
      withClient(signal, async (client, limited) => {
        const records = new Map<bigint, DefragRecord>();
        for (const { key, value } of await readKeysBelow(client, prefix, maxRecords, limited)) {
          const memberId = memberIdOf(Buffer.from(key).toString('latin1').slice(prefix.length));
          const record = decodeDefragRecord(value);
          if (memberId !== undefined && record !== undefined) records.set(memberId, record);
        }
        return records;
      }),
    write: (memberId, record, signal) =>
      withClient(signal, (client, limited) =>
        putKey(client, prefix + memberId.toString(16).padStart(16, '0'), encodeDefragRecord(record), limited),
      ),
  };
}

function memberIdOf(name: string): bigint | undefined {
  return /^[0-9a-f]{16}$/.test(name) ? BigInt(`0x${name}`) : undefined;
}
