import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import { setTimeout as delay } from 'node:timers/promises';
import { isWardenError, WardenError } from '../../errors/warden-error.ts';
import type { ClusterView, Member } from '../../ports/etcd.ts';
import { type AnswerWithHeader, checkSender } from './answers.ts';
import { Channel } from './channel.ts';
import { discover, type DiscoveryOptions } from './discover.ts';
import { endpointAsMember, normalUrl } from './endpoints.ts';
import { interruptedBy } from './errors.ts';
import { limitTime } from './kv-limit.ts';
import type { MemberConnection } from './member.ts';

/** Between two rounds of asking all members: an election takes one or two seconds. */
const pauseMs = 300;

/**
 * Another member would answer the same. Source: etcd api/v3rpc/rpctypes/error.go (ErrGRPCLeaseExist,
 * ErrGRPCLeaseNotFound, ErrGRPCNoSpace).
 */
const finalAnswers = /lease already exists|requested lease not found|database space exceeded/;

type Answer = GenMessage<AnswerWithHeader>;

export interface Answered<T> {
  readonly answer: T;
  /** When the call was sent that was answered, by `performance.now()`. */
  readonly sentMs: number;
}

/** Finds the members and makes a client for them; connections are made when they are needed. */
export async function openKvClient(
  options: DiscoveryOptions & { readonly attemptTimeoutMs: number },
  connection: Omit<MemberConnection, 'clusterId'>,
  signal: AbortSignal,
): Promise<KvClient> {
  const view = await discover(options, connection, signal);
  const members = inOrderOfTrust(view, options.endpoints);
  return new KvClient(members, { ...connection, clusterId: view.clusterId }, options.attemptTimeoutMs);
}

interface KvMember {
  /** 0n where it is not known. */
  readonly id: bigint;
  readonly channel: Channel;
}

/**
 * The cluster's keys and leases, through whichever member answers. A call whose answer was lost is made again with
 * another member, so every call has to mean the same when it is made twice.
 */
export class KvClient implements AsyncDisposable {
  /** Those that did not answer are asked last the next time. */
  #members: readonly KvMember[];
  readonly #connection: MemberConnection;
  readonly #attemptTimeoutMs: number;

  constructor(members: readonly Member[], connection: MemberConnection, attemptTimeoutMs: number) {
    this.#members = members.flatMap(({ id, endpoint }) =>
      endpoint === undefined ? [] : [{ id, channel: new Channel(endpoint, connection.tls) }],
    );
    this.#connection = connection;
    this.#attemptTimeoutMs = Math.round(attemptTimeoutMs);
  }

  /**
   * Asks the members round and round until one answers or `signal` ends it, which is the only limit of the whole.
   * `noteFailure` hears at once of each member that did not, together with those before.
   */
  async call<I extends DescMessage, O extends Answer>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    signal: AbortSignal,
    noteFailure: (failure: WardenError) => void = () => undefined,
  ): Promise<Answered<MessageShape<O>>> {
    const failures = new Map<KvMember, WardenError>();
    for (;;) {
      for (const member of this.#members) {
        try {
          return await this.#ask(member, method, input, signal);
        } catch (thrown) {
          if (signal.aborted) throw endedBy(signal, failures);
          if (!isWardenError(thrown) || isFinal(thrown)) throw thrown;
          failures.set(member, thrown);
          noteFailure(noneAnswered(failures));
          this.#putLast(member);
        }
      }
      if (![...failures.values()].some(({ retryable }) => retryable)) throw noneAnswered(failures);
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) throw endedBy(signal, failures);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(({ channel }) => channel[Symbol.asyncDispose]()));
  }

  async #ask<I extends DescMessage, O extends Answer>(
    { id, channel }: KvMember,
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    signal: AbortSignal,
  ): Promise<Answered<MessageShape<O>>> {
    const { tokens, clusterId } = this.#connection;
    const timeoutMs = this.#attemptTimeoutMs;
    using limit = limitTime(signal, timeoutMs, () => {
      const message = `${channel.endpoint} did not answer ${method.name} within ${timeoutMs / 1000} s`;
      return new WardenError('etcd-deadline', message);
    });
    return await tokens.authenticated(channel, limit.signal, async (metadata) => {
      const sentMs = performance.now();
      // A member without a leader says so at once, rather than wait for one.
      const options = { timeoutMs, metadata: { ...metadata, hasleader: 'true' } };
      const answer = await channel.unary(method, input, options, limit.signal);
      checkSender(method.name, answer.header, { endpoint: channel.endpoint, clusterId, memberId: id });
      return { answer, sentMs };
    });
  }

  #putLast(member: KvMember): void {
    this.#members = [...this.#members.filter((other) => other !== member), member];
  }
}

/** The configured endpoints first, because one of them answered; learners serve no keys; those that failed come last. */
function inOrderOfTrust(view: ClusterView, endpoints: readonly string[]): readonly Member[] {
  const listed = new Map(view.members.map((member) => [member.endpoint, member]));
  const configured = endpoints.map((url) => listed.get(normalUrl(url)) ?? endpointAsMember(url));
  const all = new Map([...configured, ...view.members].map((member) => [member.endpoint, member]));
  const voters = [...all.values()].filter(({ isLearner }) => !isLearner);
  const failed = new Set(view.skipped.map(({ endpoint }) => normalUrl(endpoint)));
  return voters.toSorted((a, b) => Number(failed.has(a.endpoint ?? '')) - Number(failed.has(b.endpoint ?? '')));
}

function isFinal({ details }: WardenError): boolean {
  return finalAnswers.test(String(details['grpcMessage']));
}

/** Where our own time limit ended it, what the members said is worth more than that the time is over. */
function endedBy(signal: AbortSignal, failures: ReadonlyMap<KvMember, WardenError>): WardenError {
  const isOurs = isWardenError(signal.reason, 'etcd-deadline');
  return isOurs && failures.size > 0 ? noneAnswered(failures) : interruptedBy(signal);
}

function noneAnswered(failures: ReadonlyMap<KvMember, WardenError>): WardenError {
  const errors = [...failures.values()];
  const told = errors.find(({ code }) => code === 'etcd-no-leader') ?? errors[0];
  if (told === undefined) return new WardenError('etcd-unreachable', 'the cluster has no member that can be asked');
  const reasons = [...new Set(errors.map(({ message }) => message))].join('; ');
  return new WardenError(told.code, reasons, { cause: told, details: told.details, hint: told.hint });
}
