import { type ClientHttp2Stream, constants } from 'node:http2';
import { describeThrown, isWardenError, WardenError } from '../../errors/warden-error.ts';
import type { SnapshotStream } from '../../ports/etcd.ts';
import { BlockAssembler } from './blocks.ts';
import { checkAnswerHeaders, readCallStatus, sendCall } from './call.ts';
import { callFailed, type CallStatus, interruptedBy } from './errors.ts';
import { type SnapshotMessage, SnapshotMessageParser } from './grpc-frames.ts';
import { type Connection, openConnection } from './session.ts';
import type { TlsFiles } from './tls-files.ts';

/** With HTTP/2's default of 64 KiB a round trip of 20 ms leaves 1 MB/s; with 8 MiB it leaves 98 MB/s. Measured. */
const windowBytes = 8 * 1024 * 1024;

/** Blocks that may wait for the consumer before the member is made to wait. */
const maxReadyBlocks = 2;

/** Keeps an idle connection known to balancers while the consumer is slow; etcd allows a ping every five seconds. */
const pingIntervalMs = 10_000;

/** For a server that takes our cancellation; the connection is cut in any case. */
const cancelTimeoutMs = 1_000;

/** SHA-256 of what was sent, which `remaining_bytes` leaves out. Source: etcd maintenance.go, Snapshot. */
const trailerBytes = 32;

export interface SnapshotCall {
  readonly endpoint: string;
  readonly tls: TlsFiles | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly idleTimeoutMs: number;
}

/** Sends Maintenance.Snapshot over a connection of its own and resolves once the first message came. */
export async function openSnapshotStream(call: SnapshotCall, signal: AbortSignal): Promise<SnapshotStream> {
  const connection = await openConnection({ ...call, windowBytes }, signal);
  const receiver = new SnapshotReceiver(connection, call, signal);
  try {
    await receiver.opened();
    return receiver;
  } catch (error) {
    await receiver[Symbol.asyncDispose]();
    throw error;
  }
}

class SnapshotReceiver implements SnapshotStream {
  readonly #connection: Connection;
  readonly #stream: ClientHttp2Stream;
  readonly #call: SnapshotCall;
  readonly #signal: AbortSignal;
  readonly #blocks = new BlockAssembler();
  readonly #parser: SnapshotMessageParser;
  readonly #pings: NodeJS.Timeout;
  #totalBytes: number | undefined;
  #receivedBytes = 0;
  #status: CallStatus | undefined;
  #failure: WardenError | undefined;
  #isComplete = false;
  #isRead = false;
  #released: Promise<void> | undefined;
  #wakeConsumer: () => void = () => undefined;
  /** Runs only while the consumer waits for the member. */
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(connection: Connection, call: SnapshotCall, signal: AbortSignal) {
    const { session } = connection;
    this.#connection = connection;
    this.#call = call;
    this.#signal = signal;
    this.#parser = new SnapshotMessageParser({
      onBlob: (piece) => this.#takeBlob(piece),
      onMessage: (message) => this.#takeMessage(message),
    });
    this.#stream = sendCall(session, {
      path: '/etcdserverpb.Maintenance/Snapshot',
      message: new Uint8Array(),
      metadata: call.metadata,
    });
    this.#pings = setInterval(() => void session.ping(() => undefined), pingIntervalMs);
    signal.addEventListener('abort', this.#interrupt);
    if (signal.aborted) this.#interrupt();
    this.#listen();
  }

  get totalBytes(): number {
    return this.#totalBytes ?? 0;
  }

  async opened(): Promise<void> {
    while (this.#totalBytes === undefined && this.#failure === undefined) await this.#moreFromMember();
    if (this.#failure !== undefined) throw this.#failure;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    if (this.#isRead) throw new WardenError('internal', 'a snapshot stream can be read once');
    this.#isRead = true;
    try {
      for (let block = await this.#nextBlock(); block !== undefined; block = await this.#nextBlock()) {
        yield block;
        this.#blocks.giveBack(block);
      }
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #nextBlock(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const block = this.#blocks.take();
      if (this.#blocks.readyCount < maxReadyBlocks) this.#stream.resume();
      if (block !== undefined || this.#isComplete) return block;
      await this.#moreFromMember();
    }
  }

  /** Resolves when there is something new to look at, be it the end of the member's time to send a byte. */
  async #moreFromMember(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wakeConsumer = resolve;
    const { idleTimeoutMs, endpoint } = this.#call;
    this.#idleTimer = setTimeout(() => {
      this.#fail(
        new WardenError(
          'stream-stalled',
          `${endpoint} sent no byte of its snapshot for ${idleTimeoutMs / 1000} s, ${this.#progress()}`,
        ),
      );
    }, idleTimeoutMs);
    try {
      await promise;
    } finally {
      clearTimeout(this.#idleTimer);
      this.#idleTimer = undefined;
    }
  }

  #listen(): void {
    const stream = this.#stream;
    stream.on('response', (headers) => {
      const problem = checkAnswerHeaders(headers, 'Snapshot', this.#call.endpoint);
      if (problem !== undefined) this.#fail(problem);
      this.#status = readCallStatus(headers);
    });
    stream.on('trailers', (headers) => {
      this.#status = readCallStatus(headers);
    });
    stream.on('data', (chunk: Buffer) => {
      if (this.#failure !== undefined) return;
      try {
        this.#parser.push(chunk);
      } catch (error) {
        this.#fail(isWardenError(error) ? error : this.#interruption(describeThrown(error), error));
      }
      if (this.#blocks.readyCount >= maxReadyBlocks) stream.pause();
    });
    stream.on('end', () => this.#finish());
    stream.on('error', (error) => this.#fail(this.#interruption(error.message, error)));
    stream.on('close', () => this.#fail(this.#interruption('the connection was closed')));
    const { session } = this.#connection;
    // A server that shuts down in order (code 0) lets streams end; any other code says that they will not.
    session.on('goaway', (code) => {
      if (code !== constants.NGHTTP2_NO_ERROR)
        this.#fail(this.#interruption(`the server gave the connection up (HTTP/2 code ${code})`));
    });
    session.on('error', (error) => this.#fail(this.#interruption(describeThrown(error), error)));
    session.on('close', () => this.#fail(this.#interruption('the connection was closed')));
  }

  #takeBlob(piece: Uint8Array): void {
    this.#receivedBytes += piece.length;
    this.#idleTimer?.refresh();
    if (this.#totalBytes !== undefined && this.#receivedBytes > this.#totalBytes) {
      throw new WardenError(
        'stream-too-long',
        `${this.#call.endpoint} sent more of its snapshot than it announced, ${this.#progress()}`,
      );
    }
    this.#blocks.append(piece);
    if (this.#blocks.readyCount > 0) this.#wakeConsumer();
  }

  #takeMessage(message: SnapshotMessage): void {
    if (this.#totalBytes !== undefined) return;
    this.#totalBytes = message.blobBytes + message.remainingBytes + trailerBytes;
    this.#wakeConsumer();
  }

  /** The server ended the stream; what came before it was all read. */
  #finish(): void {
    const status = this.#status;
    if (status === undefined) return this.#fail(this.#interruption('the stream ended without a gRPC status'));
    if (status.code !== 0) {
      const refused = callFailed('Snapshot', this.#call.endpoint, status);
      return this.#fail(this.#totalBytes === undefined ? refused : this.#interruption(refused.message, refused));
    }
    if (this.#receivedBytes !== this.#totalBytes || !this.#parser.isBetweenMessages) {
      return this.#fail(
        new WardenError('stream-short', `${this.#call.endpoint} ended its snapshot early, ${this.#progress()}`),
      );
    }
    this.#blocks.flush();
    this.#isComplete = true;
    this.#wakeConsumer();
  }

  /** The first reason counts; the connection is given back at once, whether or not anybody reads. */
  #fail(error: WardenError): void {
    if (this.#failure !== undefined || this.#isComplete || this.#released !== undefined) return;
    this.#failure = error;
    this.#wakeConsumer();
    this.#released = this.#release();
  }

  readonly #interrupt = (): void => this.#fail(interruptedBy(this.#signal));

  #interruption(reason: string, cause?: unknown): WardenError {
    return new WardenError(
      'stream-interrupted',
      `the snapshot of ${this.#call.endpoint} broke off, ${this.#progress()}: ${reason}`,
      { cause },
    );
  }

  #progress(): string {
    return `after ${this.#receivedBytes} of ${this.#totalBytes ?? 'an unknown number of'} bytes`;
  }

  /** Cancels the call, so that etcd drops its read transaction, and closes the connection. Never rejects. */
  async #release(): Promise<void> {
    clearInterval(this.#pings);
    this.#signal.removeEventListener('abort', this.#interrupt);
    this.#failure ??= this.#isComplete
      ? undefined
      : new WardenError('stream-interrupted', 'the snapshot stream was released before its end');
    this.#wakeConsumer();
    if (!this.#stream.closed) {
      const closed = new Promise((resolve) => void this.#stream.once('close', resolve));
      this.#stream.close(constants.NGHTTP2_CANCEL);
      this.#stream.resume();
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, cancelTimeoutMs);
      await Promise.race([closed, late]);
      clearTimeout(timer);
    }
    this.#connection[Symbol.dispose]();
  }
}
