import type { CompletedPart } from '@aws-sdk/client-s3';
import { toWardenError, WardenError } from '../../errors/warden-error.ts';
import type { Upload } from '../../ports/object-store.ts';
import { interruptionOf, throwIfInterrupted } from '../store-layers/interruption.ts';
import { retryCreate } from '../store-layers/retry.ts';
import type { Bucket } from './bucket.ts';
import { isFateUnknown } from './errors.ts';
import { beginMultipart, completeMultipart, sendPart, type MultipartUpload } from './multipart.ts';
import { PartBuffers } from './part-buffers.ts';
import { partSizeFor } from './part-size.ts';
import { clearAway } from './upload-cleanup.ts';
import { knowsOwn, newWriteMark, putOnce } from './write-once.ts';

/**
 * An upload of parts that are buffers, so that each can be sent again. What fits in one part is one PutObject; with the
 * first byte beyond it the upload becomes a multipart one. The first failure stops every part under way.
 */
export class S3Upload implements Upload {
  readonly #bucket: Bucket;
  readonly #name: string;
  readonly #maxBytes: number;
  readonly #buffers: PartBuffers;
  readonly #mark = newWriteMark();
  readonly #stop = new AbortController();
  /** The caller's signal, and ours for when a part failed or the upload is given up. */
  readonly #signal: AbortSignal;
  readonly #callerSignal: AbortSignal;

  #filling: Buffer | undefined;
  #filledBytes = 0;
  #takenBytes = 0;
  #multipart: Promise<MultipartUpload> | undefined;
  readonly #sending = new Set<Promise<void>>();
  readonly #sent: CompletedPart[] = [];
  #partCount = 0;
  #failure: WardenError | undefined;
  #commit: Promise<void> | undefined;
  /** Sticky, both: what one attempt left open, a later one's refusal does not settle. */
  #mayHaveBegun = false;
  #mayHaveLanded = false;
  #isCommitted = false;

  constructor(bucket: Bucket, name: string, maxBytes: number, signal: AbortSignal) {
    this.#bucket = bucket;
    this.#name = name;
    this.#maxBytes = maxBytes;
    this.#buffers = new PartBuffers(partSizeFor(maxBytes, bucket.options.partSizeBytes));
    this.#callerSignal = signal;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  async write(block: Uint8Array): Promise<void> {
    this.#throwIfFailed();
    this.#takenBytes += block.length;
    if (this.#takenBytes > this.#maxBytes) {
      throw new WardenError(
        'store-refused',
        `The upload of ${this.#name} was begun for ${this.#maxBytes} bytes at most; more came.`,
      );
    }
    for (let offset = 0; offset < block.length;) {
      if (this.#filling !== undefined && this.#filledBytes === this.#filling.length) await this.#sendFilledPart();
      this.#filling ??= this.#buffers.take(this.#maxBytes - this.#takenBytes + block.length - offset);
      const end = Math.min(block.length, offset + this.#filling.length - this.#filledBytes);
      this.#filling.set(block.subarray(offset, end), this.#filledBytes);
      this.#filledBytes += end - offset;
      offset = end;
    }
  }

  async complete(): Promise<void> {
    this.#throwIfFailed();
    this.#commit = this.#multipart === undefined ? this.#putWhole() : this.#completeMultipart(this.#multipart);
    try {
      await this.#commit;
    } catch (error) {
      this.#failure ??= toWardenError(error);
      throw error;
    }
    this.#isCommitted = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isCommitted) return;
    this.#stop.abort();
    const [multipart] = await Promise.allSettled([this.#multipart, this.#commit, ...this.#sending]);
    await clearAway(this.#bucket, {
      name: this.#name,
      mark: this.#mark,
      multipart: multipart.status === 'fulfilled' ? multipart.value : undefined,
      mayHaveBegun: multipart.status === 'rejected' && this.#mayHaveBegun,
      mayHaveLanded: this.#mayHaveLanded,
    });
  }

  /** Starts sending the filled part once one of the places on the wire is free. */
  async #sendFilledPart(): Promise<void> {
    while (this.#sending.size >= this.#bucket.options.concurrency) await Promise.race(this.#sending);
    this.#throwIfFailed();
    const buffer = this.#filling;
    if (buffer === undefined) return;
    this.#multipart ??= this.#begin();
    this.#partCount += 1;
    const sending: Promise<void> = this.#send(this.#multipart, this.#partCount, buffer, this.#filledBytes).finally(() =>
      this.#sending.delete(sending),
    );
    this.#sending.add(sending);
    this.#filling = undefined;
    this.#filledBytes = 0;
  }

  #begin(): Promise<MultipartUpload> {
    return this.#retry(async () => {
      try {
        return await beginMultipart(this.#bucket, this.#name, this.#mark, this.#signal);
      } catch (error) {
        this.#mayHaveBegun ||= isFateUnknown(error);
        throw error;
      }
    });
  }

  /** Never rejects: what failed is kept for the next call, and the other parts are stopped. */
  async #send(begun: Promise<MultipartUpload>, number: number, buffer: Buffer, sizeBytes: number): Promise<void> {
    try {
      const multipart = await begun;
      const body = buffer.subarray(0, sizeBytes);
      const part = await this.#retry(() => sendPart(this.#bucket, multipart, number, body, this.#signal));
      this.#sent[number - 1] = part;
      this.#buffers.giveBack(buffer);
    } catch (error) {
      this.#failure ??= toWardenError(error);
      this.#stop.abort();
    }
  }

  async #putWhole(): Promise<void> {
    const body = this.#filling?.subarray(0, this.#filledBytes) ?? new Uint8Array();
    await this.#createOnce(() => putOnce(this.#bucket, this.#name, body, this.#mark, this.#signal));
  }

  async #completeMultipart(begun: Promise<MultipartUpload>): Promise<void> {
    if (this.#filledBytes > 0) await this.#sendFilledPart();
    await Promise.all(this.#sending);
    this.#throwIfFailed();
    const multipart = await begun;
    await this.#createOnce(() => completeMultipart(this.#bucket, multipart, this.#sent, this.#signal));
  }

  #createOnce(create: () => Promise<void>): Promise<void> {
    const noting = async () => {
      try {
        await create();
      } catch (error) {
        this.#mayHaveLanded ||= isFateUnknown(error);
        throw error;
      }
    };
    const isOurs = () => knowsOwn(this.#bucket, this.#name, this.#mark, this.#signal);
    return retryCreate(this.#bucket.retry, noting, isOurs, this.#signal);
  }

  #retry<T>(attempt: () => Promise<T>): Promise<T> {
    return this.#bucket.retry(attempt, this.#signal);
  }

  #throwIfFailed(): void {
    throwIfInterrupted(this.#callerSignal);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#signal.aborted) throw interruptionOf(this.#signal);
  }
}
