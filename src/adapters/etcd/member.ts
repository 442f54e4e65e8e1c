import { WardenError } from '../../errors/warden-error.ts';
import type { Alarm, EtcdMember, HashKvAnswer, Member, MemberStatus, SnapshotStream } from '../../ports/etcd.ts';
import {
  checkSender,
  type ExpectedSender,
  type ListedMember,
  toAlarms,
  toHashKvAnswer,
  toListedMembers,
  toMemberStatus,
} from './answers.ts';
import { Channel } from './channel.ts';
import { AlarmRequest_AlarmAction, Cluster, KV, Maintenance, type ResponseHeader } from './generated/etcd_pb.ts';
import { openSnapshotStream } from './snapshot-stream.ts';
import type { TlsFiles } from './tls-files.ts';
import type { TokenSource } from './token.ts';

/** Answered from memory; a member that needs longer is not well. */
const quickTimeoutMs = 10_000;

/** etcd itself gives a request up after 5 s and two elections (7 s by default), and says better why than a deadline does. */
const readTimeoutMs = 10_000;

/** HashKV reads all keys: some 8 GiB at 100 MB/s. */
const hashTimeoutMs = 90_000;

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

  status(signal: AbortSignal): Promise<MemberStatus> {
    return this.#authenticated(signal, async (metadata) => {
      const answer = await this.#channel.unary(
        Maintenance.method.status,
        {},
        { timeoutMs: quickTimeoutMs, metadata },
        signal,
      );
      return toMemberStatus(answer, this.#checked('Status', answer));
    });
  }

  readRevision(signal: AbortSignal): Promise<bigint> {
    return this.#authenticated(signal, async (metadata) => {
      // Any key will do, whether or not it exists: the header tells the revision. Without a leader etcd says so at once.
      const request = { key: new Uint8Array(1), countOnly: true };
      const options = { timeoutMs: readTimeoutMs, metadata: { ...metadata, hasleader: 'true' } };
      const answer = await this.#channel.unary(KV.method.range, request, options, signal);
      return this.#checked('Range', answer).revision;
    });
  }

  alarms(signal: AbortSignal): Promise<readonly Alarm[]> {
    return this.#authenticated(signal, async (metadata) => {
      const request = { action: AlarmRequest_AlarmAction.GET };
      const answer = await this.#channel.unary(
        Maintenance.method.alarm,
        request,
        { timeoutMs: quickTimeoutMs, metadata },
        signal,
      );
      this.#checked('Alarm', answer);
      return toAlarms(answer);
    });
  }

  hashKv(revision: bigint, signal: AbortSignal): Promise<HashKvAnswer> {
    return this.#authenticated(signal, async (metadata) => {
      const answer = await this.#channel.unary(
        Maintenance.method.hashKV,
        { revision },
        { timeoutMs: hashTimeoutMs, metadata },
        signal,
      );
      return toHashKvAnswer(answer, this.#checked('HashKV', answer));
    });
  }

  /** The members as this one knows them, read without quorum. */
  listMembers(signal: AbortSignal): Promise<{ readonly clusterId: bigint; readonly members: readonly ListedMember[] }> {
    return this.#authenticated(signal, async (metadata) => {
      const request = { linearizable: false };
      const answer = await this.#channel.unary(
        Cluster.method.memberList,
        request,
        { timeoutMs: quickTimeoutMs, metadata },
        signal,
      );
      const { clusterId } = this.#checked('MemberList', answer);
      return { clusterId, members: toListedMembers(answer, this.#expected.endpoint) };
    });
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

  #authenticated<T>(signal: AbortSignal, call: (metadata: Readonly<Record<string, string>>) => Promise<T>): Promise<T> {
    return this.#connection.tokens.authenticated(this.#channel, signal, call);
  }

  #checked(call: string, answer: { readonly header?: ResponseHeader | undefined }): ResponseHeader {
    return checkSender(call, answer.header, this.#expected);
  }
}
