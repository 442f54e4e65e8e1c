import { WardenError } from '../errors/warden-error.ts';
import type { ObjectStore } from '../ports/object-store.ts';

/** Reads a whole object of at most `maxBytes`; a larger one is refused before its bytes are kept. */
export async function readSmallObject(
  store: ObjectStore,
  key: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  await using body = await store.read(key, {}, signal);
  const blocks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const block of body) {
    sizeBytes += block.length;
    if (sizeBytes > maxBytes) {
      throw new WardenError('object-damaged', `${key} is larger than ${maxBytes} bytes, the most it may be`, {
        details: { key, maxBytes },
      });
    }
    blocks.push(block);
  }
  return Buffer.concat(blocks);
}
