import { WardenError } from '../../src/errors/warden-error.ts';
import type {
  Alarm,
  Etcd,
  EtcdMember,
  HashKvAnswer,
  KnownMember,
  Member,
  MemberStatus,
  SnapshotStream,
} from '../../src/ports/etcd.ts';
import type { SurveyedMember } from '../../src/snapshot/survey-members.ts';

/** An answer for every call, or one for each: `call` counts those of this kind at this member from 0. */
export type Scripted<T> = T | Error | ScriptedCalls<T>;
type ScriptedCalls<T> = (call: number, signal: AbortSignal) => T | Error | Promise<T>;

/** What a member answers. Anything that is left out is answered as a healthy member of the cluster would. */
export interface MemberScript {
  readonly name?: string;
  readonly id?: bigint;
  readonly isLearner?: boolean;
  /** undefined: the member was never started. */
  readonly endpoint?: string | undefined;
  readonly status?: Scripted<Partial<MemberStatus>>;
  readonly readRevision?: Scripted<bigint>;
  readonly alarms?: Scripted<readonly Alarm[]>;
  readonly memberList?: Scripted<readonly KnownMember[]>;
  /** Settles when the member answers; a member may never do, or work on after the signal was aborted. */
  readonly defragment?: (options: { readonly timeoutMs: number }, signal: AbortSignal) => Promise<void>;
  readonly moveLeader?: (targetId: bigint, signal: AbortSignal) => Promise<void>;
  readonly disarm?: (alarm: Alarm, signal: AbortSignal) => Promise<void>;
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
  /** Every call that changes something, in the order in which they were made. */
  readonly commands: readonly ScriptedCommand[];
}

export interface ScriptedCommand {
  readonly member: string;
  readonly call: 'defragment' | 'moveLeader' | 'disarm';
  /** Options of `defragment`, target of `moveLeader`, alarm of `disarm`. */
  readonly request: unknown;
  /** By `Date.now()`, fake clocks included. */
  readonly atMs: number;
}

export function scriptedEtcd(
  scripts: readonly MemberScript[],
  skipped: readonly { readonly endpoint: string; readonly error: Error }[] = [],
): ScriptedEtcd {
  const members = scripts.map((script, index) => ({ script, member: memberOf(script, index) }));
  const known = members.map(({ member: { id, name, isLearner } }) => ({ id, name, isLearner }));
  const commands: ScriptedCommand[] = [];
  const clients = new Map(
    members.map(({ script, member }) => [
      member.name,
      clientOf({ memberList: known, ...script }, member, (call, request) =>
        commands.push({ member: member.name, call, request, atMs: Date.now() }),
      ),
    ]),
  );
  let open = 0;
  return {
    discover: async (signal) => {
      signal.throwIfAborted();
      return { clusterId, members: members.map(({ member }) => member), skipped };
    },
    connect: (member) => {
      const client = clients.get(member.name);
      if (client === undefined) throw new Error(`${member.name} is not in the script`);
      open += 1;
      return { ...client, [Symbol.asyncDispose]: async () => void (open -= 1) };
    },
    openClients: () => open,
    commands,
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
    status: status instanceof Error ? undefined : statusOf(status, member),
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

function statusOf(script: MemberScript['status'], member: Member): MemberStatus {
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
    ...(typeof script === 'object' && !(script instanceof Error) ? script : {}),
  };
}

function clientOf(
  script: MemberScript,
  member: Member,
  note: (call: ScriptedCommand['call'], request: unknown) => void = () => undefined,
): EtcdMember {
  const status = scripted(script.status ?? {});
  const command = async (
    call: ScriptedCommand['call'],
    request: unknown,
    signal: AbortSignal,
    carryOut: () => Promise<void> | undefined,
  ): Promise<void> => {
    signal.throwIfAborted();
    note(call, request);
    await carryOut();
  };
  return {
    member,
    status: async (signal) => statusOf(await status(signal), member),
    readRevision: scripted(script.readRevision ?? healthyRevision),
    alarms: scripted(script.alarms ?? []),
    memberList: scripted(script.memberList ?? []),
    defragment: (options, signal) => command('defragment', options, signal, () => script.defragment?.(options, signal)),
    moveLeader: (targetId, signal) =>
      command('moveLeader', targetId, signal, () => script.moveLeader?.(targetId, signal)),
    disarm: (alarm, signal) => command('disarm', alarm, signal, () => script.disarm?.(alarm, signal)),
    hashKv: async (revision, signal) => {
      signal.throwIfAborted();
      return (await script.hashKv?.(revision, signal)) ?? hashAnswer({ memberId: member.id });
    },
    openSnapshot: (_, signal) =>
      script.openSnapshot?.(signal) ?? Promise.reject(new Error(`${member.name} has no snapshot in the script`)),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function scripted<T extends bigint | object>(script: Scripted<T>): (signal: AbortSignal) => Promise<T> {
  let calls = 0;
  return async (signal) => {
    signal.throwIfAborted();
    const answer = typeof script === 'function' ? await (script as ScriptedCalls<T>)(calls++, signal) : script;
    if (answer instanceof Error) throw answer;
    return answer;
  };
}
