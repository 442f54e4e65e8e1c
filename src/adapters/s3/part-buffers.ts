/**
 * Buffers of one part each, used again and again: an upload copies the blocks it is given, so that its memory is
 * (concurrency + 1) parts however the stream is cut into blocks.
 */
export class PartBuffers {
  readonly #spare: Buffer[] = [];
  readonly partSizeBytes: number;

  constructor(partSizeBytes: number) {
    this.partSizeBytes = partSizeBytes;
  }

  /** A buffer of one part, or a smaller one where no more than `atMostBytes` can come. */
  take(atMostBytes: number): Buffer {
    if (atMostBytes < this.partSizeBytes) return Buffer.allocUnsafeSlow(atMostBytes);
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.partSizeBytes);
  }

  giveBack(buffer: Buffer): void {
    if (buffer.length === this.partSizeBytes) this.#spare.push(buffer);
  }
}
