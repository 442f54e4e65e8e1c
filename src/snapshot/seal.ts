import { WardenError } from '../errors/warden-error.ts';
import type { KeyProvider, RecipientName } from '../ports/key-provider.ts';
import { type Bytes, regroup, Tally } from './bytes.ts';
import { type OpenedMessage, startMessage } from './encryption.ts';
import { compressFrames } from './zstd-compress.ts';

export interface Sealing {
  readonly compression: { readonly algorithm: 'zstd'; readonly level: number } | { readonly algorithm: 'none' };
  readonly encryption:
    | { readonly providers: readonly KeyProvider[]; readonly context: Readonly<Record<string, string>> }
    | 'none';
}

/** A sealing whose keys have been used, good for one snapshot. */
export interface PreparedSealing {
  readonly suffix: SealedSuffix;
  readonly compression: Sealing['compression'];
  /** Who can open what is sealed; empty without encryption. For KMS the ARNs really used, never an alias. */
  readonly recipients: readonly RecipientName[];
  readonly message: OpenedMessage | undefined;
}

export type SealedSuffix = '.zst.enc' | '.zst' | '.enc' | '';

export interface SealingFacts {
  /** After compression, before encryption; the snapshot's own size and hash where nothing is compressed. */
  readonly compressedBytes: number;
  readonly compressedSha256: string;
  /** As stored. */
  readonly sealedBytes: number;
  readonly sealedSha256: string;
}

export interface SealedStream extends AsyncIterable<Uint8Array>, AsyncDisposable {
  /** Known once the last block was read; throws before. */
  readonly facts: SealingFacts;
}

/** What the stages add to the stored object's name `snapshot.db`. */
export function sealedSuffix(sealing: Sealing): SealedSuffix {
  if (sealing.compression.algorithm === 'zstd') return sealing.encryption === 'none' ? '.zst' : '.zst.enc';
  return sealing.encryption === 'none' ? '' : '.enc';
}

/**
 * Does everything that needs keys, so that a denied key fails a backup before a snapshot of etcd is open.
 * Rejects with `key-*`, naming the recipient, with `secret-unreadable` or with `key-file-invalid`.
 */
export async function prepareSealing(sealing: Sealing, signal: AbortSignal): Promise<PreparedSealing> {
  const { compression, encryption } = sealing;
  const message =
    encryption === 'none' ? undefined : await startMessage(encryption.providers, encryption.context, signal);
  return { suffix: sealedSuffix(sealing), compression, recipients: message?.recipients ?? [], message };
}

/**
 * The stored form of `source`, in blocks of 1 MiB that the reader may keep; those of `source` are not looked at again
 * once the next one was asked for. Nothing runs ahead by more than three frames of 2 MiB.
 */
export function seal(source: Bytes, prepared: PreparedSealing, signal: AbortSignal): SealedStream {
  const { compression, message } = prepared;
  const compressed = new Tally();
  const sealed = message === undefined ? compressed : new Tally();
  let facts: SealingFacts | undefined;

  async function* blocks(): AsyncGenerator<Uint8Array, void> {
    const packed =
      compression.algorithm === 'zstd' ? compressFrames(source, compression.level, signal) : copyBlocks(source);
    const counted = compressed.through(packed);
    const stored = message === undefined ? counted : sealed.through(message.encrypt(counted, signal));
    for await (const block of regroup(stored)) {
      signal.throwIfAborted();
      yield block;
    }
    facts = {
      compressedBytes: compressed.sizeBytes,
      compressedSha256: compressed.sha256(),
      sealedBytes: sealed.sizeBytes,
      sealedSha256: sealed.sha256(),
    };
  }

  const stream = blocks();
  return {
    get facts() {
      if (facts === undefined) throw new WardenError('internal', 'the sealed stream was not read to its end');
      return facts;
    },
    [Symbol.asyncIterator]: () => stream,
    [Symbol.asyncDispose]: async () => void (await stream.return()),
  };
}

/** What is not compressed goes on to readers that keep it for a while. */
async function* copyBlocks(source: Bytes): AsyncGenerator<Uint8Array, void> {
  for await (const block of source) yield Buffer.from(block);
}
