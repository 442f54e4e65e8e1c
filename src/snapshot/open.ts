import { WardenError } from '../errors/warden-error.ts';
import type { KeyProvider } from '../ports/key-provider.ts';
import { type Bytes, regroup, Tally } from './bytes.ts';
import { decryptMessage } from './decryption.ts';
import { describeFormat, type Format, sniffFormat } from './formats.ts';
import type { EncryptionContext } from './identity-keyring.ts';
import { decompressFrames } from './zstd-decompress.ts';

export interface ExpectedSealing {
  /** `as-found`: for a file without a manifest, decided by its first bytes. */
  readonly compression: 'zstd' | 'none' | 'as-found';
  readonly encryption: { readonly context: EncryptionContext | 'unchecked' } | 'none';
  /** What the manifest says was stored. Without it an unencrypted object that ends between two zstd frames seems whole. */
  readonly stored?: SizeAndHash;
  /** What the manifest says came out of compression. */
  readonly compressed?: SizeAndHash | undefined;
  readonly limits: { readonly maxPlaintextBytes: number };
}

interface SizeAndHash {
  readonly sizeBytes: number;
  readonly sha256: string;
}

/**
 * The snapshot inside a stored object, in blocks of 1 MiB. Only a clean end means that it is whole: until then an error
 * can still follow what was yielded, so the caller commits nothing before. A block is good until the next is asked for.
 *
 * Rejects with `object-damaged` for anything altered, cut off, appended, or larger inside than `maxPlaintextBytes`;
 * `format-mismatch` where the bytes are of another kind than expected; `context-mismatch`; `no-identity` and `key-*`
 * where no key could open it. Memory does not grow with the object, whatever it contains.
 */
export async function* openSealed(
  source: Bytes,
  expected: ExpectedSealing,
  providers: readonly KeyProvider[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const stored = regroup(requireSame(source, expected.stored, 'object'));
  const opened = openEncryption(stored, expected, providers, signal);
  const compressed = requireSame(opened, expected.compressed, 'compressed content');
  const plaintext = openCompression(compressed, expected, signal);
  yield* limit(regroup(plaintext), expected.limits.maxPlaintextBytes, signal);
}

async function* openEncryption(
  stored: Bytes,
  { encryption }: ExpectedSealing,
  providers: readonly KeyProvider[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  if (encryption === 'none') {
    yield* stored;
  } else {
    const message = requireFormat(stored, 'encryption-sdk-message');
    yield* regroup(decryptMessage(message, providers, encryption.context, signal));
  }
}

async function* openCompression(
  compressed: Bytes,
  { compression }: ExpectedSealing,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  if (compression === 'zstd') {
    yield* decompressFrames(requireFormat(compressed, 'zstd'), signal);
  } else if (compression === 'none') {
    yield* requirePlain(compressed);
  } else {
    const { format, bytes } = await peekFormat(compressed);
    yield* format === 'zstd' ? decompressFrames(bytes, signal) : requirePlain(bytes);
  }
}

async function* requireFormat(source: Bytes, wanted: Format): AsyncGenerator<Uint8Array, void> {
  const { format, bytes } = await peekFormat(source);
  if (format !== wanted) throw mismatch(describeFormat(wanted), format);
  yield* bytes;
}

/** An uncompressed snapshot may be damaged in any way, which its inspection finds; here only other formats are refused. */
async function* requirePlain(source: Bytes): AsyncGenerator<Uint8Array, void> {
  const { format, bytes } = await peekFormat(source);
  if (format !== 'bolt' && format !== 'text' && format !== 'unknown') throw mismatch('uncompressed plain data', format);
  yield* bytes;
}

const mismatch = (wanted: string, found: Format): WardenError =>
  new WardenError('format-mismatch', `expected ${wanted}, found ${describeFormat(found)}`, { details: { found } });

/** The format of the first block, and all bytes with that block. An empty source is damage: no stage makes nothing. */
async function peekFormat(
  source: Bytes,
): Promise<{ readonly format: Format; readonly bytes: AsyncGenerator<Uint8Array, void> }> {
  const blocks = source[Symbol.asyncIterator]();
  const first = await blocks.next();
  if (first.done === true) throw new WardenError('object-damaged', 'the object is empty');
  async function* bytes(block: Uint8Array): AsyncGenerator<Uint8Array, void> {
    try {
      yield block;
      for (let next = await blocks.next(); next.done !== true; next = await blocks.next()) yield next.value;
    } finally {
      await blocks.return?.();
    }
  }
  return { format: sniffFormat(first.value), bytes: bytes(first.value) };
}

/** The bytes of `source`, and an error unless they are of this size and hash. */
async function* requireSame(
  source: Bytes,
  expected: SizeAndHash | undefined,
  what: string,
): AsyncGenerator<Uint8Array, void> {
  if (expected === undefined) {
    yield* source;
    return;
  }
  const { sizeBytes, sha256 } = expected;
  const damaged = (problem: string): WardenError => new WardenError('object-damaged', `the ${what} ${problem}`);
  const tally = new Tally();
  for await (const block of tally.through(source)) {
    if (tally.sizeBytes > sizeBytes) throw damaged(`is longer than the ${sizeBytes} bytes that it was`);
    yield block;
  }
  if (tally.sizeBytes < sizeBytes) throw damaged(`ends after ${tally.sizeBytes} of ${sizeBytes} bytes`);
  if (tally.sha256() !== sha256) throw damaged(`has the SHA-256 ${tally.sha256()}, it was ${sha256}`);
}

async function* limit(source: Bytes, maxBytes: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  let sizeBytes = 0;
  for await (const block of source) {
    signal.throwIfAborted();
    sizeBytes += block.length;
    if (sizeBytes > maxBytes) {
      throw new WardenError(
        'object-damaged',
        `the object expands beyond the ${maxBytes} bytes that a sound one can hold`,
      );
    }
    yield block;
  }
}
