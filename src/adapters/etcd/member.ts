import type { DescMessage, DescMethodUnary, MessageInitShape } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import { isWardenError, WardenError } from '../../errors/warden-error.ts';
import type {
  Alarm,
  EtcdMember,
  HashKvAnswer,
  KnownMember,
  Member,
  MemberStatus,
  SnapshotStream,
} from '../../ports/etcd.ts';
import {
  type AnswerWithHeader,
  checkSender,
  disarmRequest,
  type ExpectedSender,
  hex,
  type ListedMember,
  toAlarms,
  toHashKvAnswer,
  toListedMembers,
  toMemberStatus,
} from './answers.ts';
import { type CallOptions, Channel } from './channel.ts';
import { AlarmRequest_AlarmAction, Cluster, KV, Maintenance, type ResponseHeader } from './generated/etcd_pb.ts';
import { openSnapshotStream } from './snapshot-stream.ts';
import type { TlsFiles } from './tls-files.ts';
import type { TokenSource } from './token.ts';

/** Answered from memory; a member that needs longer is not well. */
const quickTimeoutMs = 10_000;

/** etcd itself gives a request up after 5 s and two elections (7 s by default), and says better why than a deadline does. */
const raftTimeoutMs = 10_000;

/** HashKV reads all keys: some 8 GiB at 100 MB/s. */
const hashTimeoutMs = 90_000;

/** A transfer takes milliseconds, an election some seconds; etcd itself waits for as long as it is asked to. */
const moveLeaderTimeoutMs = 15_000;

export interface MemberConnection {
  readonly tls: TlsFiles | undefined;
  readonly tokens: TokenSource;
  /** 0n where it is not known. */
  readonly clusterId: bigint;
}

/** A client for one member. Makes its connections when they are needed. */
export class MemberClient implements EtcdMember {
  readonly member: Member;
  readonly #connection: MemberConnection;
  readonly #channel: Channel;
  readonly #expected: ExpectedSender;

  constructor(member: Member, connection: MemberConnection) {
    if (member.endpoint === undefined) {
      throw new WardenError('etcd-unreachable', `member ${member.name} was never started: it has no client URL`);
    }
    this.member = member;
    this.#connection = connection;
    this.#channel = new Channel(member.endpoint, connection.tls);
    this.#expected = { endpoint: member.endpoint, clusterId: connection.clusterId, memberId: member.id };
  }

  async status(signal: AbortSignal): Promise<MemberStatus> {
    const { answer, header } = await this.#ask(Maintenance.method.status, {}, { timeoutMs: quickTimeoutMs }, signal);
    return toMemberStatus(answer, header);
  }

  async readRevision(signal: AbortSignal): Promise<bigint> {
    // Any key will do, whether or not it exists: the header tells the revision. Without a leader etcd says so at once.
    const request = { key: new Uint8Array(1), countOnly: true };
    const options = { timeoutMs: raftTimeoutMs, metadata: { hasleader: 'true' } };
    return (await this.#ask(KV.method.range, request, options, signal)).header.revision;
  }

  async alarms(signal: AbortSignal): Promise<readonly Alarm[]> {
    const request = { action: AlarmRequest_AlarmAction.GET };
    return toAlarms((await this.#ask(Maintenance.method.alarm, request, { timeoutMs: quickTimeoutMs }, signal)).answer);
  }

  async disarm(alarm: Alarm, signal: AbortSignal): Promise<void> {
    await this.#ask(Maintenance.method.alarm, disarmRequest(alarm), { timeoutMs: raftTimeoutMs }, signal);
  }

  async hashKv(revision: bigint, signal: AbortSignal): Promise<HashKvAnswer> {
    const options = { timeoutMs: hashTimeoutMs };
    const { answer, header } = await this.#ask(Maintenance.method.hashKV, { revision }, options, signal);
    return toHashKvAnswer(answer, header);
  }

  async memberList(signal: AbortSignal): Promise<readonly KnownMember[]> {
    const { members } = await this.listMembers(signal);
    return members.map(({ id, name, isLearner }) => ({ id, name, isLearner }));
  }

  /** The members as this one knows them, with their URLs, read without quorum. */
  async listMembers(
    signal: AbortSignal,
  ): Promise<{ readonly clusterId: bigint; readonly members: readonly ListedMember[] }> {
    const request = { linearizable: false };
    const options = { timeoutMs: quickTimeoutMs };
    const { answer, header } = await this.#ask(Cluster.method.memberList, request, options, signal);
    return { clusterId: header.clusterId, members: toListedMembers(answer, this.#expected.endpoint) };
  }

  async defragment(options: { readonly timeoutMs: number }, signal: AbortSignal): Promise<void> {
    await this.#command(Maintenance.method.defragment, {}, options, signal);
  }

  async moveLeader(targetId: bigint, signal: AbortSignal): Promise<void> {
    try {
      const options = { timeoutMs: moveLeaderTimeoutMs };
      await this.#command(Maintenance.method.moveLeader, { targetID: targetId }, options, signal);
    } catch (error) {
      if (!isWardenError(error, 'etcd-deadline') || error.details['sent'] === false || signal.aborted) throw error;
      const message = `leadership did not come to member ${hex(targetId)} within ${moveLeaderTimeoutMs / 1000} s`;
      throw new WardenError('etcd-call-failed', message, { cause: error });
    }
  }

  openSnapshot(options: { readonly idleTimeoutMs: number }, signal: AbortSignal): Promise<SnapshotStream> {
    const { tls } = this.#connection;
    return this.#authenticated(signal, (metadata) =>
      openSnapshotStream({ endpoint: this.#channel.endpoint, tls, metadata, ...options }, signal),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#channel[Symbol.asyncDispose]();
  }

  /** A call whose answer says who it is from. */
  #ask<I extends DescMessage, A extends AnswerWithHeader>(
    method: DescMethodUnary<I, GenMessage<A>>,
    input: MessageInitShape<I>,
    { timeoutMs, metadata = {} }: Partial<CallOptions> & { readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<{ readonly answer: A; readonly header: ResponseHeader }> {
    return this.#authenticated(signal, async (credentials) => {
      const options = { timeoutMs, metadata: { ...credentials, ...metadata } };
      const answer = await this.#channel.unary(method, input, options, signal);
      return { answer, header: checkSender(method.name, answer.header, this.#expected) };
    });
  }

  /**
   * A call that changes the member and whose answer does not say who it is from: etcd leaves the header of Defragment and
   * MoveLeader out. So the member has to say who it is right before, over the same connection.
   * A stale token is refused before any work is begun, so the call that follows another login is the first to be carried
   * out. Source: etcd maintenance.go, authMaintenanceServer.
   */
  async #command<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
    { timeoutMs }: { readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<void> {
    let isSent = false;
    try {
      await this.#authenticated(signal, (metadata) =>
        this.#channel.onOneConnection(signal, async (unary) => {
          const quick = { timeoutMs: Math.min(quickTimeoutMs, timeoutMs), metadata };
          const { header } = await unary(Maintenance.method.status, {}, quick, signal);
          checkSender('Status', header, this.#expected);
          isSent = true;
          await unary(method, input, { timeoutMs, metadata }, signal);
        }),
      );
    } catch (error) {
      throw isSent ? error : notSent(method.name, error);
    }
  }

  #authenticated<T>(signal: AbortSignal, call: (metadata: Readonly<Record<string, string>>) => Promise<T>): Promise<T> {
    return this.#connection.tokens.authenticated(this.#channel, signal, call);
  }
}

/** An error from before the call: `details.sent` is false. */
function notSent(call: string, error: unknown): unknown {
  if (!isWardenError(error)) return error;
  const { code, message, hint } = error;
  const details = { ...error.details, sent: false };
  return new WardenError(code, `${message}; ${call} was not sent`, { details, hint, cause: error });
}
