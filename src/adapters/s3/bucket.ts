import type { S3Client } from '@aws-sdk/client-s3';
import type { WardenError } from '../../errors/warden-error.ts';
import { throwIfInterrupted } from '../store-layers/interruption.ts';
import { tryOnce, type Retry } from '../store-layers/retry.ts';
import { createClients, type S3Clients } from './clients.ts';
import { toKeyError, toStoreError, type S3Request } from './errors.ts';
import { ObjectNames } from './object-names.ts';
import { defaultLimits, type RequestLimits, type S3StoreOptions } from './options.ts';

type Send<T> = (client: S3Client, options: { abortSignal: AbortSignal }) => Promise<T>;

/** One bucket and how to ask it: every request of the adapter goes through `ask`, every error through errors.ts. */
export class Bucket implements Disposable {
  readonly options: S3StoreOptions;
  readonly limits: RequestLimits;
  readonly names: ObjectNames;
  readonly retry: Retry;
  readonly description: string;
  readonly learned: Learned = {};
  readonly #clients: S3Clients;

  constructor(options: S3StoreOptions) {
    this.options = options;
    this.limits = options.limits ?? defaultLimits;
    this.names = new ObjectNames(options.prefix);
    this.retry = options.retry ?? tryOnce;
    this.description = `s3://${options.bucket}/${this.names.prefix}`.replace(/\/$/, '');
    this.#clients = createClients(options, this.limits);
  }

  /** Sends one request on a connection that gives up when idle. */
  ask<T>(about: About, send: Send<T>, signal: AbortSignal): Promise<T> {
    return this.#convertErrors(about, () => send(this.#clients.brisk, { abortSignal: signal }), signal);
  }

  /** As `ask`, for an answer that may be silent for long before it is whole. */
  askPatiently<T>(about: About, send: Send<T>, signal: AbortSignal, withinMs: number): Promise<T> {
    const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
    return this.#convertErrors(about, () => send(this.#clients.patient, { abortSignal }), signal);
  }

  /** As `ask`, for an answer whose body its reader takes as slowly as it likes; the headers must come soon. */
  askForBody<T>(about: About, send: Send<T>, signal: AbortSignal): Promise<T> {
    const options = { abortSignal: signal, requestTimeout: this.limits.idleMs };
    return this.#convertErrors(about, () => send(this.#clients.patient, options), signal);
  }

  toError(thrown: unknown, about: About, signal: AbortSignal): WardenError {
    return toStoreError(thrown, this.#requestOf(about), signal);
  }

  /** For one key of a request for many: what the answer, which is no error itself, says of it. */
  toKeyError(said: { Code?: string | undefined; Message?: string | undefined }, about: About): WardenError {
    return toKeyError(said, this.#requestOf(about));
  }

  #requestOf(about: About): S3Request {
    const { bucket, endpoint = 'AWS', caFile, checksums } = this.options;
    return {
      ...about,
      bucket,
      endpoint,
      caFile,
      sentChecksum: checksums === 'when-supported' && about.writes === true,
    };
  }

  [Symbol.dispose](): void {
    this.#clients[Symbol.dispose]();
  }

  async #convertErrors<T>(about: About, send: () => Promise<T>, signal: AbortSignal): Promise<T> {
    throwIfInterrupted(signal);
    try {
      return await send();
    } catch (thrown) {
      throw this.toError(thrown, about, signal);
    }
  }
}

/** What answers taught about the bucket, for as long as the store is open; undefined: not asked yet. */
export interface Learned {
  /** Whether a deletion by name alone would leave the bytes as an older version. */
  keepsVersions?: boolean;
  /** Of the bucket's own default for new objects; 0 where there is none. */
  defaultRetentionMs?: number;
  /** The store has no DeleteObjects, or refuses it as a whole. */
  refusesBulkDeletes?: boolean;
}

/** What a request is about, for messages. */
export interface About {
  /** As S3 names it: `PutObject`. */
  readonly operation: string;
  /** Name in the bucket. */
  readonly name?: string;
  /** Whether it carries a body whose checksum goes along. */
  readonly writes?: boolean;
}
