import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { ClientHttp2Session } from 'node:http2';
import { describeThrown, isWardenError, WardenError } from '../../errors/warden-error.ts';
import { interruptedBy } from './errors.ts';
import { type Connection, openConnection } from './session.ts';
import type { TlsFiles } from './tls-files.ts';
import { callUnary } from './unary-call.ts';

/** Answers of unary calls are short: HTTP/2's own default will do. */
const windowBytes = 64 * 1024;

/**
 * Balancers and NAT forget idle connections without a word, some after twenty seconds, and a call on a forgotten one
 * only ends at its deadline. A connection unused for longer than this is replaced, which costs milliseconds.
 */
const maxIdleMs = 10_000;

export interface CallOptions {
  readonly timeoutMs: number;
  readonly metadata: Readonly<Record<string, string>>;
}

export type Unary = Channel['unary'];

/** Unary calls to one member over one connection, made at the first call and anew after it was lost. Sends each call once. */
export class Channel implements AsyncDisposable {
  readonly endpoint: string;
  readonly #tls: TlsFiles | undefined;
  readonly #disposed = new AbortController();
  #session: Promise<ClientHttp2Session> | undefined;
  /** Every connection whose socket is still there: retired ones too, until their calls have ended and the peer hung up. */
  readonly #connections = new Set<Connection>();
  #activeCalls = 0;
  #lastUsedMs = 0;

  constructor(endpoint: string, tls: TlsFiles | undefined) {
    this.endpoint = endpoint;
    this.#tls = tls;
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    options: CallOptions,
    signal: AbortSignal,
  ): Promise<MessageShape<O>> {
    return this.onOneConnection(signal, (unary) => unary(method, input, options, signal));
  }

  /**
   * Calls that all reach the same member, even where a balancer of connections stands before several: they go over one
   * connection, and one that was lost in between is not replaced.
   */
  async onOneConnection<T>(signal: AbortSignal, makeCalls: (unary: Unary) => Promise<T>): Promise<T> {
    const session = await orInterrupted(this.#connect(), signal);
    this.#activeCalls += 1;
    try {
      return await makeCalls((...call) => this.#send(session, ...call));
    } catch (error) {
      if (isWardenError(error, 'etcd-deadline', 'etcd-unreachable')) retire(session);
      throw error;
    } finally {
      this.#activeCalls -= 1;
      this.#lastUsedMs = performance.now();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
    await this.#session?.catch(() => undefined);
    for (const connection of this.#connections) connection[Symbol.dispose]();
  }

  async #send<I extends DescMessage, O extends DescMessage>(
    session: ClientHttp2Session,
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    options: CallOptions,
    signal: AbortSignal,
  ): Promise<MessageShape<O>> {
    const call = {
      name: method.name,
      endpoint: this.endpoint,
      path: `/${method.parent.typeName}/${method.name}`,
      message: toBinary(method.input, create(method.input, input)),
      ...options,
    };
    if (session.closed || session.destroyed) {
      throw new WardenError('etcd-unreachable', `${this.endpoint} closed the connection before ${call.name} was sent`);
    }
    return decode(method.output, await callUnary(session, call, signal), call);
  }

  async #connect(): Promise<ClientHttp2Session> {
    const nowMs = performance.now();
    if (this.#activeCalls === 0 && nowMs - this.#lastUsedMs > maxIdleMs) {
      this.#session?.then(retire, () => undefined);
      this.#session = undefined;
    }
    // From here on, not only from its first call on: a connection that is still being made does not lie idle.
    this.#lastUsedMs = nowMs;
    for (;;) {
      const isNew = this.#session === undefined;
      const opening = (this.#session ??= this.#open());
      const session = await opening.catch((error: unknown) => {
        this.#forget(opening);
        throw error;
      });
      if (!session.closed && !session.destroyed) return session;
      this.#forget(opening);
      if (isNew) throw new WardenError('etcd-unreachable', `${this.endpoint} closed a new connection before any call`);
    }
  }

  async #open(): Promise<ClientHttp2Session> {
    const options = { endpoint: this.endpoint, tls: this.#tls, windowBytes };
    const connection = await openConnection(options, this.#disposed.signal);
    this.#connections.add(connection);
    connection.session.once('close', () => this.#connections.delete(connection));
    return connection.session;
  }

  #forget(opening: Promise<ClientHttp2Session>): void {
    if (this.#session === opening) this.#session = undefined;
  }
}

/** Leaves the connection to the calls that are on it; the next call makes another. */
function retire(session: ClientHttp2Session): void {
  session.close();
}

function decode<O extends DescMessage>(
  schema: O,
  answer: Uint8Array,
  call: { readonly name: string; readonly endpoint: string },
): MessageShape<O> {
  try {
    return fromBinary(schema, answer);
  } catch (error) {
    const reason = `${call.endpoint} answered ${call.name} with bytes that are not its message: ${describeThrown(error)}`;
    throw new WardenError('etcd-answer-invalid', reason, { cause: error });
  }
}

/** Stops waiting once the signal is aborted; what is waited for goes on. */
async function orInterrupted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  const interrupt = (): void => reject(interruptedBy(signal));
  if (signal.aborted) interrupt();
  signal.addEventListener('abort', interrupt);
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}
