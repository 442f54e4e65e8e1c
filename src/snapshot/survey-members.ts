import { setTimeout as delay } from 'node:timers/promises';
import { toWardenError, WardenError } from '../errors/warden-error.ts';
import type { Alarm, Etcd, EtcdMember, Member, MemberStatus } from '../ports/etcd.ts';
import type { MemberFacts } from './choose-member.ts';

export interface SurveyedMember extends MemberFacts {
  readonly client: EtcdMember;
  readonly error: WardenError | undefined;
}

/** Where the cluster stands at one moment, with an open client for each member. */
export interface Survey extends AsyncDisposable {
  readonly clusterId: bigint;
  readonly members: readonly SurveyedMember[];
  /** Members that were added but never started, and endpoints that did not answer. */
  readonly absent: readonly { readonly name: string; readonly reason: string }[];
  /** The revision that a linearizable read gave: everything acknowledged before the survey is at or below it. */
  readonly readRevision: bigint | undefined;
  /** Why there is no `readRevision`. */
  readonly noReadBecause: string | undefined;
}

/** Asks every member how it is and the cluster for its revision. Rejects only if no member answered at all. */
export async function surveyMembers(etcd: Etcd, signal: AbortSignal): Promise<Survey> {
  const view = await etcd.discover(signal);
  const started = view.members.filter((member) => member.endpoint !== undefined);
  const clients = started.map((member) => etcd.connect(member));
  await using stack = new AsyncDisposableStack();
  for (const client of clients) stack.use(client);

  const [firstStatuses, read, alarms] = await Promise.all([
    Promise.all(clients.map((client) => statusOf(client, view.clusterId, signal))),
    readRevision(clients, signal),
    readAlarms(clients, signal),
  ]);
  const statuses = await Promise.all(
    clients.map((client, index) =>
      catchUp(client, firstStatuses[index] ?? noAnswer, read.revision, view.clusterId, signal),
    ),
  );
  signal.throwIfAborted();
  if (statuses.every((answer) => answer.status === undefined)) throw nobodyAnswered(statuses);
  const corrupt = corruptMembers(alarms, statuses);
  const members = clients.map((client, index): SurveyedMember => {
    const { status, error } = statuses[index] ?? noAnswer;
    return {
      client,
      name: nameOf(client.member),
      status,
      error,
      unreachable: error?.message,
      hasCorruptAlarm: status !== undefined && corrupt.has(status.memberId),
    };
  });
  const kept = stack.move();
  return {
    clusterId: view.clusterId === 0n ? clusterIdOf(statuses) : view.clusterId,
    members,
    absent: [
      ...view.skipped.map(({ endpoint, error }) => ({ name: endpoint, reason: error.message })),
      ...view.members.filter((member) => member.endpoint === undefined).map(describeUnstarted),
    ],
    readRevision: read.revision,
    noReadBecause: read.reason,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** A member's name for people; unstarted members have none. */
function nameOf(member: Member): string {
  return member.name === '' ? member.id.toString(16) : member.name;
}

interface StatusAnswer {
  readonly status: MemberStatus | undefined;
  readonly error: WardenError | undefined;
}

const noAnswer: StatusAnswer = { status: undefined, error: undefined };

/** A member that is further behind than it can apply in this time does lag. */
const catchUpAttempts = 10;
const catchUpDelayMs = 100;

/**
 * The status of a member that has applied what the read saw, or the last one before we stopped asking. Under load the
 * first status is often older than the read, which went on beside it, and a follower applies moments after the leader.
 */
async function catchUp(
  client: EtcdMember,
  first: StatusAnswer,
  wantedRevision: bigint | undefined,
  clusterId: bigint,
  signal: AbortSignal,
): Promise<StatusAnswer> {
  let answer = first;
  for (let attempt = 0; attempt < catchUpAttempts; attempt++) {
    const { status } = answer;
    if (status === undefined || status.isLearner || wantedRevision === undefined || status.revision >= wantedRevision)
      break;
    if (attempt > 0) await delay(catchUpDelayMs, undefined, { signal });
    answer = await statusOf(client, clusterId, signal);
  }
  return answer;
}

async function statusOf(client: EtcdMember, clusterId: bigint, signal: AbortSignal): Promise<StatusAnswer> {
  try {
    const status = await client.status(signal);
    if (clusterId !== 0n && status.clusterId !== clusterId) {
      throw new WardenError(
        'etcd-cluster-mismatch',
        `${client.member.endpoint} belongs to cluster ${status.clusterId.toString(16)}, not to ${clusterId.toString(16)}`,
        { details: { endpoint: client.member.endpoint ?? '' } },
      );
    }
    return { status, error: undefined };
  } catch (error) {
    return { status: undefined, error: toWardenError(error) };
  }
}

/** What a linearizable read meets where there is no quorum; other errors say nothing about it. */
const lacksQuorum: ReadonlySet<string> = new Set(['etcd-deadline', 'etcd-no-leader', 'etcd-unreachable']);

/** One linearizable read is enough, whoever serves it; all are asked at once because any of them may be cut off. */
async function readRevision(
  clients: readonly EtcdMember[],
  signal: AbortSignal,
): Promise<{ revision: bigint | undefined; reason: string | undefined }> {
  const voters = clients.filter((client) => !client.member.isLearner);
  try {
    return { revision: await Promise.any(voters.map((client) => client.readRevision(signal))), reason: undefined };
  } catch (error) {
    signal.throwIfAborted();
    const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
    const { code, message } = toWardenError(errors[0] ?? new WardenError('etcd-no-leader', 'no voter is known'));
    return {
      revision: undefined,
      reason: `${lacksQuorum.has(code) ? 'no quorum' : 'no linearizable read'}: ${message}`,
    };
  }
}

async function readAlarms(clients: readonly EtcdMember[], signal: AbortSignal): Promise<readonly Alarm[]> {
  // The question goes through the log like a write, so any answer is the cluster's. Without quorum there is none.
  return Promise.any(clients.map((client) => client.alarms(signal))).catch(() => []);
}

/** In the text of status errors: `memberID:10501334649042878790 alarm:CORRUPT`. Source: etcd rpc.proto, AlarmMember. */
const corruptAlarm = /memberID:(\d+)\s+alarm:CORRUPT/;

/** Who has the alarm CORRUPT. Each member's status repeats the alarms that it knows of, so this holds without quorum too. */
function corruptMembers(alarms: readonly Alarm[], statuses: readonly StatusAnswer[]): ReadonlySet<bigint> {
  const listed = alarms.filter(({ type }) => type === 'CORRUPT').map(({ memberId }) => memberId);
  const told = statuses.flatMap(({ status }) => status?.errors ?? []).map((text) => corruptAlarm.exec(text)?.[1]);
  return new Set([...listed, ...told.filter((id) => id !== undefined).map(BigInt)]);
}

function describeUnstarted(member: Member): { name: string; reason: string } {
  return { name: nameOf(member), reason: 'was added to the cluster but never started' };
}

function clusterIdOf(statuses: readonly StatusAnswer[]): bigint {
  return statuses.find((answer) => answer.status !== undefined)?.status?.clusterId ?? 0n;
}

function nobodyAnswered(statuses: readonly StatusAnswer[]): WardenError {
  const errors = statuses.flatMap((answer) => (answer.error === undefined ? [] : [answer.error]));
  const [first] = errors;
  if (first === undefined) return new WardenError('no-member', 'no member of the cluster was ever started');
  if (errors.every((error) => error.code === first.code)) return first;
  return new WardenError('no-member', `no member answered: ${errors.map((error) => error.message).join('; ')}`, {
    details: { codes: errors.map((error) => error.code) },
  });
}
