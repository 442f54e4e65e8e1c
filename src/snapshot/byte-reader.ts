import { WardenError } from '../errors/warden-error.ts';
import type { Bytes } from './bytes.ts';

/** Reads a byte stream in pieces of a wanted length. Meant for sources of large blocks: see `regroup`. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #buffered: Uint8Array = new Uint8Array(0);

  constructor(source: Bytes) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async ended(): Promise<boolean> {
    return !(await this.#fill(1));
  }

  /** The next `sizeBytes` bytes, which stay to be taken. `object-damaged` if the stream ends before. */
  async peek(sizeBytes: number): Promise<Uint8Array> {
    if (!(await this.#fill(sizeBytes))) {
      throw new WardenError(
        'object-damaged',
        `the data is cut off: ${sizeBytes} more bytes were expected, ${this.#buffered.length} came`,
      );
    }
    return this.#buffered.subarray(0, sizeBytes);
  }

  async take(sizeBytes: number): Promise<Uint8Array> {
    const taken = await this.peek(sizeBytes);
    this.#buffered = this.#buffered.subarray(sizeBytes);
    return taken;
  }

  /** Ends the source early; nothing can be read afterwards. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #fill(sizeBytes: number): Promise<boolean> {
    while (this.#buffered.length < sizeBytes) {
      const next = await this.#source.next();
      if (next.done === true) return false;
      this.#buffered = this.#buffered.length === 0 ? next.value : Buffer.concat([this.#buffered, next.value]);
    }
    return true;
  }
}
