import type { Message, MessageInitShape } from '@bufbuild/protobuf';
import { WardenError } from '../../errors/warden-error.ts';
import type { Alarm, HashKvAnswer, MemberStatus } from '../../ports/etcd.ts';
import {
  AlarmRequest_AlarmAction,
  type AlarmRequestSchema,
  type AlarmResponse,
  AlarmType,
  type HashKVResponse,
  type MemberListResponse,
  type ResponseHeader,
  type StatusResponse,
} from './generated/etcd_pb.ts';

/** What nearly all answers of etcd carry. */
export type AnswerWithHeader = Message & { header?: ResponseHeader | undefined };

/** Who should have answered; 0n where that is not known. */
export interface ExpectedSender {
  readonly endpoint: string;
  readonly clusterId: bigint;
  readonly memberId: bigint;
}

/**
 * Every answer names its cluster and its member. A URL can lead to another member than the one it was listed for (a
 * balancer, a stale DNS record), and what was learnt about one member must never be taken for another.
 */
export function checkSender(
  call: string,
  header: ResponseHeader | undefined,
  expected: ExpectedSender,
): ResponseHeader {
  const { endpoint, clusterId, memberId } = expected;
  if (header === undefined || header.clusterId === 0n || header.memberId === 0n) {
    throw new WardenError(
      'etcd-answer-invalid',
      `${endpoint} answered ${call} without saying which cluster and member it is`,
    );
  }
  const answered = (what: string, found: bigint, wanted: bigint): string =>
    `${endpoint} answered ${call} as ${what} ${hex(found)}, expected ${hex(wanted)}`;
  if (clusterId !== 0n && header.clusterId !== clusterId) {
    throw new WardenError('etcd-cluster-mismatch', answered('cluster', header.clusterId, clusterId));
  }
  if (memberId !== 0n && header.memberId !== memberId) {
    throw new WardenError('etcd-member-mismatch', answered('member', header.memberId, memberId));
  }
  return header;
}

export function toMemberStatus(answer: StatusResponse, header: ResponseHeader): MemberStatus {
  return {
    clusterId: header.clusterId,
    memberId: header.memberId,
    version: answer.version,
    revision: header.revision,
    dbSizeBytes: Number(answer.dbSize),
    dbSizeInUseBytes: Number(answer.dbSizeInUse),
    dbSizeQuotaBytes: answer.dbSizeQuota === 0n ? undefined : Number(answer.dbSizeQuota),
    leaderId: answer.leader,
    raftTerm: answer.raftTerm,
    raftIndex: answer.raftIndex,
    raftAppliedIndex: answer.raftAppliedIndex,
    isLearner: answer.isLearner,
    storageVersion: answer.storageVersion === '' ? undefined : answer.storageVersion,
    errors: answer.errors,
  };
}

const alarmTypes = { NOSPACE: AlarmType.NOSPACE, CORRUPT: AlarmType.CORRUPT };

/**
 * Lifts this alarm and no other. etcd takes member 0 for every member and type 0 for every type, so neither is let
 * through. Source: etcd apply.go, Alarm.
 */
export function disarmRequest({ memberId, type }: Alarm): MessageInitShape<typeof AlarmRequestSchema> {
  if (memberId === 0n || type === 'UNKNOWN') {
    const wanted = `alarm ${type} of member ${hex(memberId)}`;
    throw new WardenError('internal', `only a NOSPACE or CORRUPT alarm of one member can be disarmed, not ${wanted}`);
  }
  return { action: AlarmRequest_AlarmAction.DEACTIVATE, memberID: memberId, alarm: alarmTypes[type] };
}

export function toAlarms(answer: AlarmResponse): readonly Alarm[] {
  return answer.alarms.map(({ memberID, alarm }) => ({
    memberId: memberID,
    type: alarm === AlarmType.NOSPACE ? 'NOSPACE' : alarm === AlarmType.CORRUPT ? 'CORRUPT' : 'UNKNOWN',
  }));
}

export function toHashKvAnswer(answer: HashKVResponse, header: ResponseHeader): HashKvAnswer {
  return {
    memberId: header.memberId,
    hash: answer.hash,
    hashRevision: answer.hashRevision === 0n ? undefined : answer.hashRevision,
    compactRevision: answer.compactRevision,
    currentRevision: header.revision,
  };
}

/** A member as etcd lists it, before one of its URLs is chosen. */
export interface ListedMember {
  readonly id: bigint;
  readonly name: string;
  readonly isLearner: boolean;
  /** Empty for a member that was added but never started. */
  readonly clientUrls: readonly string[];
}

export function toListedMembers(answer: MemberListResponse, endpoint: string): readonly ListedMember[] {
  const ids = new Set(answer.members.map((member) => member.ID));
  if (ids.size === 0 || ids.size !== answer.members.length || ids.has(0n)) {
    const found = answer.members.map((member) => hex(member.ID)).join(', ');
    throw new WardenError('etcd-answer-invalid', `${endpoint} lists members without an id of their own: [${found}]`);
  }
  return answer.members.map(({ ID, name, isLearner, clientURLs }) => ({
    id: ID,
    name,
    isLearner,
    clientUrls: clientURLs,
  }));
}

/** As etcdctl prints ids. */
export function hex(id: bigint): string {
  return id.toString(16);
}
