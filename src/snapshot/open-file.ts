import { WardenError } from '../errors/warden-error.ts';
import type { KeyProvider } from '../ports/key-provider.ts';
import type { LocalBytes } from '../ports/local-files.ts';
import { regroup } from './bytes.ts';
import { describeFormat, sniffFormat, type Format } from './formats.ts';
import { openSealed } from './open.ts';

/** bbolt files are bounded by the 64-bit page id, etcd's by its quota; far above any that etcd supports. */
const maxPlaintextBytes = 1024 ** 4;

/** Names that unfinished files carry (object stores and `restore --to`): never a snapshot, whatever is in them. */
const temporaryName = /\.part-[0-9a-f]+$/i;

export interface OpenedFile {
  readonly format: Format;
  /** The snapshot inside, in blocks of 1 MiB. */
  readonly snapshot: AsyncIterable<Uint8Array>;
}

/**
 * Opens a local file that is a snapshot in any stored form: plain, compressed, encrypted or both, told by its first
 * bytes. Anything else is refused with `not-a-snapshot`, saying what it is. Without a manifest there is nothing to
 * compare with: the snapshot has to prove itself by its trailer and structure.
 */
export async function openFile(
  file: LocalBytes,
  identities: readonly KeyProvider[],
  signal: AbortSignal,
): Promise<OpenedFile> {
  if (temporaryName.test(file.path)) {
    throw new WardenError('not-a-snapshot', `${file.path} is the unfinished file of a run that was cut off`);
  }
  const blocks = regroup(file)[Symbol.asyncIterator]();
  const first = await blocks.next();
  const head = first.done === true ? new Uint8Array(0) : first.value;
  const format = sniffFormat(head);
  if (format === 'gzip' || format === 'zip' || format === 'text') {
    await blocks.return();
    throw new WardenError('not-a-snapshot', `${file.path} is ${describeFormat(format)}, expected a snapshot`, {
      details: { path: file.path, found: format },
    });
  }
  async function* rest(): AsyncGenerator<Uint8Array, void> {
    try {
      yield head;
      for (let next = await blocks.next(); next.done !== true; next = await blocks.next()) yield next.value;
    } finally {
      await blocks.return();
    }
  }
  if (format === 'bolt' || format === 'unknown') return { format, snapshot: rest() };
  const encryption = format === 'encryption-sdk-message' ? ({ context: 'unchecked' } as const) : 'none';
  const expected = { compression: 'as-found', encryption, limits: { maxPlaintextBytes } } as const;
  return { format, snapshot: openSealed(rest(), expected, identities, signal) };
}
