import { WardenError } from '../../src/errors/warden-error.ts';
import type {
  Alarm,
  Etcd,
  EtcdMember,
  HashKvAnswer,
  Member,
  MemberStatus,
  SnapshotStream,
} from '../../src/ports/etcd.ts';
import type { SurveyedMember } from '../../src/snapshot/survey-members.ts';

/** What a member answers. Anything that is left out is answered as a healthy member of the cluster would. */
export interface MemberScript {
  readonly name?: string;
  readonly id?: bigint;
  readonly isLearner?: boolean;
  /** undefined: the member was never started. */
  readonly endpoint?: string | undefined;
  readonly status?: Partial<MemberStatus> | Error;
  readonly readRevision?: bigint | Error;
  readonly alarms?: readonly Alarm[] | Error;
  readonly hashKv?: (revision: bigint, signal: AbortSignal) => Promise<HashKvAnswer>;
  readonly openSnapshot?: (signal: AbortSignal) => Promise<SnapshotStream>;
}

export const clusterId = 0x0123456789abcdefn;
export const healthyRevision = 8n;

/** For errors of members that a real etcd cannot be brought to make at will. */
export const refuses = (code: ConstructorParameters<typeof WardenError>[0], message: string = code): WardenError =>
  new WardenError(code, message);

/** An etcd cluster in memory whose members answer by script. Counts the clients that are open. */
export interface ScriptedEtcd extends Etcd {
  readonly openClients: () => number;
}

export function scriptedEtcd(
  scripts: readonly MemberScript[],
  skipped: readonly { readonly endpoint: string; readonly error: Error }[] = [],
): ScriptedEtcd {
  const members = scripts.map((script, index) => ({ script, member: memberOf(script, index) }));
  let open = 0;
  return {
    discover: async (signal) => {
      signal.throwIfAborted();
      return { clusterId, members: members.map(({ member }) => member), skipped };
    },
    connect: (member) => {
      const found = members.find((each) => each.member === member);
      if (found === undefined) throw new Error(`${member.name} is not in the script`);
      open += 1;
      return { ...clientOf(found.script, member), [Symbol.asyncDispose]: async () => void (open -= 1) };
    },
    openClients: () => open,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** One member as a survey finds it. */
export function surveyedMember(script: MemberScript = {}, index = 0): SurveyedMember {
  const member = memberOf(script, index);
  const { status } = script;
  return {
    client: clientOf(script, member),
    name: member.name,
    status: status instanceof Error ? undefined : statusOf(script, member),
    error: status instanceof WardenError ? status : undefined,
    unreachable: status instanceof Error ? status.message : undefined,
    hasCorruptAlarm: false,
  };
}

export function hashAnswer(changes: Partial<HashKvAnswer> = {}): HashKvAnswer {
  return { memberId: 1n, hash: 0x1234, hashRevision: 8n, compactRevision: 3n, currentRevision: 9n, ...changes };
}

function memberOf(script: MemberScript, index: number): Member {
  const { name = `m${index + 1}`, id = BigInt(index + 1), isLearner = false } = script;
  const endpoint = 'endpoint' in script ? script.endpoint : `http://${name}:2379`;
  return { id, name, isLearner, endpoint };
}

function statusOf({ status }: MemberScript, member: Member): MemberStatus {
  return {
    clusterId,
    memberId: member.id,
    version: '3.6.16',
    revision: healthyRevision,
    dbSizeBytes: 20_480,
    dbSizeInUseBytes: 16_384,
    dbSizeQuotaBytes: 2 ** 31,
    leaderId: 1n,
    raftTerm: 2n,
    raftIndex: 20n,
    raftAppliedIndex: 20n,
    isLearner: member.isLearner,
    storageVersion: '3.6.0',
    errors: [],
    ...(status instanceof Error ? {} : status),
  };
}

function clientOf(script: MemberScript, member: Member): EtcdMember {
  const answer = async <T>(signal: AbortSignal, value: T | Error): Promise<T> => {
    signal.throwIfAborted();
    if (value instanceof Error) throw value;
    return value;
  };
  return {
    member,
    status: (signal) => answer(signal, script.status instanceof Error ? script.status : statusOf(script, member)),
    readRevision: (signal) => answer(signal, script.readRevision ?? healthyRevision),
    alarms: (signal) => answer(signal, script.alarms ?? []),
    hashKv: (revision, signal) =>
      script.hashKv?.(revision, signal) ?? answer(signal, hashAnswer({ memberId: member.id })),
    openSnapshot: (_, signal) =>
      script.openSnapshot?.(signal) ?? Promise.reject(new Error(`${member.name} has no snapshot in the script`)),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
