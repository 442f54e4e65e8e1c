import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  type AlarmRequest,
  Auth,
  Cluster,
  type HashKVRequest,
  KV,
  Maintenance,
  type MoveLeaderRequest,
  type PutRequest,
  type RangeRequest,
  type SnapshotRequest,
  type SnapshotResponseSchema,
} from '../../src/adapters/etcd/generated/etcd_pb.ts';

type Message<M extends { output: DescMessage }> = MessageInitShape<M['output']>;
type SnapshotMessage = MessageInitShape<typeof SnapshotResponseSchema>;

/** What the server answers; throw a `refusal` for a status other than OK. */
export interface FakeAnswers {
  memberList(): Message<typeof Cluster.method.memberList> | Promise<Message<typeof Cluster.method.memberList>>;
  status(): Message<typeof Maintenance.method.status> | Promise<Message<typeof Maintenance.method.status>>;
  alarm(request: AlarmRequest): Message<typeof Maintenance.method.alarm>;
  /** Settles when the work is done, which the end of the call does not hasten. */
  defragment(): Promise<Message<typeof Maintenance.method.defragment>>;
  moveLeader(
    request: MoveLeaderRequest,
  ): Message<typeof Maintenance.method.moveLeader> | Promise<Message<typeof Maintenance.method.moveLeader>>;
  hashKV(request: HashKVRequest): Message<typeof Maintenance.method.hashKV>;
  range(request: RangeRequest): Message<typeof KV.method.range> | Promise<Message<typeof KV.method.range>>;
  put(request: PutRequest): Message<typeof KV.method.put>;
  authenticate(): Message<typeof Auth.method.authenticate>;
  /** Sends messages until it returns, which ends the stream with status OK. `send` waits until the client takes more. */
  snapshot(send: (message: SnapshotMessage) => Promise<void>, cancelled: AbortSignal): Promise<void>;
}

export interface FakeEtcd extends AsyncDisposable {
  readonly endpoint: string;
  /** Every call that arrived, in order. */
  readonly calls: readonly FakeCall[];
}

export interface FakeCall {
  readonly name: string;
  readonly token: string | undefined;
  /** A message of etcd. */
  readonly request: unknown;
  /** On the clock of `performance.now()`. */
  readonly atMs: number;
}

export const fakeClusterId = 0xc1n;
export const fakeMemberId = 0xa1n;
const header = { clusterId: fakeClusterId, memberId: fakeMemberId, revision: 7n, raftTerm: 2n };

/** An error that the server answers with. */
export function refusal(code: grpc.status, details: string): Error {
  return Object.assign(new Error(details), { code, details });
}

/** Bytes with the trailer that etcd appends: SHA-256 of what came before. */
export function withTrailer(database: Uint8Array): Buffer {
  return Buffer.concat([database, createHash('sha256').update(database).digest()]);
}

/** Messages as etcd sends them: 32 KiB each, then the trailer in one of its own. */
export function* snapshotMessages(database: Uint8Array): Generator<SnapshotMessage> {
  for (let at = 0; at < database.length; at += 32_768) {
    const blob = database.subarray(at, at + 32_768);
    yield { blob, remainingBytes: BigInt(database.length - at - blob.length), version: '3.6.0' };
  }
  yield { blob: withTrailer(database).subarray(-32) };
}

/** A server with etcd's services that answers as no real etcd can be brought to. Plain HTTP on a free loopback port. */
export async function startFakeEtcd(answers: Partial<FakeAnswers> = {}): Promise<FakeEtcd> {
  const calls: FakeCall[] = [];
  const server = new grpc.Server();
  let endpoint = '';
  const used: FakeAnswers = { ...healthyAnswers(() => endpoint), ...answers };
  for (const service of [KV, Cluster, Maintenance, Auth]) {
    const definition: Record<string, grpc.MethodDefinition<unknown, unknown>> = {};
    const handlers: grpc.UntypedServiceImplementation = {};
    for (const method of service.methods) {
      definition[method.localName] = {
        path: `/${service.typeName}/${method.name}`,
        requestStream: false,
        responseStream: method.methodKind === 'server_streaming',
        requestSerialize: serializer(method.input),
        requestDeserialize: (bytes) => fromBinary(method.input, bytes),
        responseSerialize: serializer(method.output),
        responseDeserialize: (bytes) => fromBinary(method.output, bytes),
      };
      const note = ({ metadata, request }: NotedCall): void => {
        const token = metadata.get('token')[0]?.toString();
        calls.push({ name: method.name, token, request, atMs: performance.now() });
      };
      handlers[method.localName] =
        method.methodKind === 'unary' ? unaryHandler(method.localName, used, note) : snapshotHandler(used, note);
    }
    server.addService(definition, handlers);
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    calls,
    [Symbol.asyncDispose]: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

function healthyAnswers(endpoint: () => string): FakeAnswers {
  const database = Buffer.alloc(2_500_000, 'what a database is made of');
  return {
    memberList: () => ({ header, members: [{ ID: fakeMemberId, name: 'fake', clientURLs: [endpoint()] }] }),
    status: () => ({
      header,
      version: '3.6.16',
      dbSize: BigInt(database.length),
      dbSizeInUse: 1_000_000n,
      dbSizeQuota: 2n ** 31n,
      storageVersion: '3.6.0',
      leader: fakeMemberId,
      raftIndex: 12n,
      raftAppliedIndex: 12n,
      raftTerm: 2n,
    }),
    alarm: () => ({ header }),
    defragment: () => Promise.resolve({}),
    moveLeader: ({ targetID }) => {
      if (targetID === fakeMemberId) return {};
      throw refusal(grpc.status.FAILED_PRECONDITION, 'etcdserver: bad leader transferee');
    },
    hashKV: ({ revision }) => {
      if (revision > header.revision) {
        throw refusal(grpc.status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision is a future revision');
      }
      return { header, hash: 42, hashRevision: revision === 0n ? header.revision : revision, compactRevision: -1n };
    },
    range: () => ({ header }),
    put: () => ({ header }),
    authenticate: () => ({ header, token: 'fake.1' }),
    snapshot: async (send) => {
      for (const message of snapshotMessages(database)) await send(message);
    },
  };
}

function serializer(schema: DescMessage): (value: unknown) => Buffer {
  return (value) => Buffer.from(toBinary(schema, create(schema, value as MessageInitShape<DescMessage>)));
}

type NotedCall = Pick<grpc.ServerUnaryCall<unknown, unknown>, 'metadata' | 'request'>;
type Note = (call: NotedCall) => void;

function unaryHandler(name: string, answers: FakeAnswers, note: Note): grpc.handleUnaryCall<unknown, unknown> {
  const answer = answers[name as 'hashKV'] as (request: unknown) => unknown;
  return (call, callback) => {
    note(call);
    Promise.resolve()
      .then(() => answer(call.request))
      .then(
        (value) => callback(null, value),
        (error: unknown) => callback(error as grpc.ServiceError),
      );
  };
}

function snapshotHandler(answers: FakeAnswers, note: Note): grpc.handleServerStreamingCall<SnapshotRequest, unknown> {
  return (call) => {
    note(call);
    const cancelled = new AbortController();
    call.on('cancelled', () => cancelled.abort());
    const send = async (message: SnapshotMessage): Promise<void> => {
      cancelled.signal.throwIfAborted();
      if (!call.write(message)) await once(call, 'drain', { signal: cancelled.signal });
    };
    answers.snapshot(send, cancelled.signal).then(
      () => call.end(),
      (error: unknown) => (cancelled.signal.aborted ? undefined : call.emit('error', error)),
    );
  };
}
