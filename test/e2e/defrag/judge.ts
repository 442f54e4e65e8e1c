import { errorTable, type ErrorCode } from '../../../src/errors/table.ts';
import type { EndedWarden } from '../support/warden-process.ts';
import { maxRaftLag } from './arena.ts';
import type { Evidence } from './fault-run.ts';
import type { DefragCall } from './member-log.ts';
import type { Sample } from './sampler.ts';
import type { FaultName } from './scenario.ts';

/**
 * Nobody can act on what has not come about yet: a fault that is younger than this when a call begins arose while the last
 * facts were read, which may take half a second, or on the way of the call.
 */
const graceMs = 600;

/** Faults in which a voter is missing for the others. */
const missing: ReadonlySet<FaultName> = new Set(['killed', 'stopped', 'isolated']);

/** What `--json` prints, as far as it is judged. */
interface Report {
  readonly members?: readonly { readonly name: string; readonly error: object | null }[];
  readonly error?: {
    readonly code: ErrorCode;
    readonly details?: { readonly code?: ErrorCode; readonly because?: string };
  };
}

export interface Verdict {
  /** How the run ended, such as `4 defrag-refused (no-leader)`; of two runs both. */
  readonly outcome: string;
  /** Everything that is wrong, a sentence each. */
  readonly faults: readonly string[];
}

export function judge(evidence: Evidence): Verdict {
  const reports = evidence.runs.map((run) => (run.stdout === '' ? {} : (run.json() as Report)));
  return {
    outcome: evidence.runs.map((run, index) => describeOutcome(run, reports[index] ?? {})).join(' + '),
    faults: [
      ...judgeOverlaps(evidence),
      ...evidence.calls.flatMap((call) => judgeBegin(call, evidence)),
      ...judgeStop(evidence),
      ...evidence.runs.flatMap((run, index) => judgeExit(run, reports[index] ?? {}, evidence)),
      ...judgeReports(reports, evidence),
    ],
  };
}

/** Never two in flight, by the logs and by the gauges; never two calls at one member. */
function judgeOverlaps({ calls, samples, injection, scenario, endedMs }: Evidence): string[] {
  const found: string[] = [];
  const diedMs = scenario.fault === 'killed' ? injection?.atMs : undefined;
  const endOf = ({ member, beganMs, endedMs: end }: DefragCall): number => {
    if (end !== undefined) return end;
    return diedMs !== undefined && member === injection?.victim && diedMs >= beganMs ? diedMs : endedMs;
  };
  calls.forEach((call, index) => {
    for (const later of calls.slice(index + 1)) {
      if (later.member === call.member) found.push(`${call.member} was called twice`);
      else if (later.beganMs < endOf(call)) found.push(`${later.member} was begun while ${call.member} was at work`);
    }
  });
  for (const sample of samples.filter(({ isDefragmenting }) => isDefragmenting)) {
    for (const other of new Set(samples.map(({ member }) => member))) {
      const ofOther = samples.filter(({ member }) => member === other);
      const before = ofOther.findLast(({ receivedMs }) => receivedMs <= sample.sentMs);
      const after = ofOther.find(({ sentMs }) => sentMs >= sample.receivedMs);
      if (other !== sample.member && before?.isDefragmenting === true && after?.isDefragmenting === true) {
        found.push(`${sample.member} and ${other} were in flight at ${new Date(sample.sentMs).toISOString()}`);
      }
    }
  }
  return [...new Set(found)];
}

/** What was there to be known when a call began. */
function judgeBegin({ member, beganMs }: DefragCall, { samples, injection, scenario }: Evidence): string[] {
  const knownMs = beganMs - graceMs;
  const found: string[] = [];
  if (injection !== undefined && missing.has(scenario.fault)) {
    const isOver = injection.endedMs !== undefined && injection.endedMs <= beganMs;
    if (injection.atMs < knownMs && !isOver) {
      found.push(`${member} was begun ${beganMs - injection.atMs} ms after ${injection.victim} was ${scenario.fault}`);
    }
  }
  const recent = samples.filter(({ sentMs, receivedMs }) => sentMs >= knownMs && receivedMs <= beganMs);
  const ofTarget = recent.filter((sample) => sample.member === member);
  if (ofTarget.length > 2 && ofTarget.every(({ openSnapshots }) => openSnapshots > 0)) {
    found.push(`${member} was begun with an open snapshot`);
  }
  for (const voter of new Set(recent.map((sample) => sample.member))) {
    const lags = recent.filter((sample) => sample.member === voter).map((sample) => lagOf(sample, recent));
    if (lags.length > 2 && lags.every((lag) => lag > maxRaftLag)) {
      found.push(`${member} was begun while ${voter} was ${Math.min(...lags)} entries behind`);
    }
  }
  return found;
}

/** Behind what the others had committed before. */
function lagOf({ appliedIndex, sentMs }: Sample, samples: readonly Sample[]): number {
  const committed = samples
    .filter(({ receivedMs }) => receivedMs <= sentMs)
    .map(({ committedIndex }) => committedIndex);
  return Math.max(0, ...committed) - appliedIndex;
}

/** After a member died at work, nobody else is touched, not even once it is back. */
function judgeStop({ scenario, injection, calls }: Evidence): string[] {
  if (scenario.fault !== 'killed' || injection === undefined) return [];
  const hit = calls.find(
    ({ member, beganMs, endedMs }) => member === injection.victim && beganMs <= injection.atMs && endedMs === undefined,
  );
  if (hit === undefined) return [];
  return calls
    .filter(({ beganMs }) => beganMs > injection.atMs)
    .map(({ member }) => `${member} was begun after ${hit.member} had died at work`);
}

/** Whether status and code say what happened. */
function judgeExit({ status, stderr }: EndedWarden, { members = [], error }: Report, { scenario }: Evidence): string[] {
  if (scenario.fault === 'terminated' && status === 143) return [];
  const done = members.filter((member) => member.error === null).length;
  if (error === undefined) return status === 0 ? [] : [`status ${status} without an error: ${stderr.slice(-2000)}`];
  const found: string[] = [];
  if (status !== errorTable[error.code].exitStatus) found.push(`status ${status} with ${error.code}`);
  const isPart = error.code === 'partly-defragmented';
  if (isPart !== done > 0) found.push(`${error.code} with ${done} members done`);
  const cause = isPart ? error.details?.code : error.code;
  const reason = error.details?.because;
  const expected = expectedReasons[scenario.fault];
  const isExpected = expected.some((one) => one === cause || one === reason);
  if (!isExpected) found.push(`${cause} (${reason ?? 'no reason'}) is no answer to ${scenario.fault}`);
  return found;
}

/**
 * Codes and reasons that each fault may be answered with; success is judged by the calls. `etcd-call-failed` is a transfer of
 * leadership that was under way.
 */
const expectedReasons: Readonly<Record<FaultName, readonly string[]>> = {
  'none': [],
  'killed': [
    'unreachable-voter',
    'no-leader',
    'split-view',
    'defrag-failed',
    'defrag-unfinished',
    'lock-lost',
    'etcd-unreachable',
    'etcd-no-leader',
    'etcd-call-failed',
  ],
  'stopped': [
    'unreachable-voter',
    'no-leader',
    'split-view',
    'defrag-failed',
    'defrag-unfinished',
    'lock-lost',
    'etcd-call-failed',
  ],
  'isolated': [
    'no-leader',
    'split-view',
    'unreachable-voter',
    'lagging-voter',
    'defrag-failed',
    'defrag-unfinished',
    'lock-lost',
    'etcd-call-failed',
  ],
  'lagging': [
    'lagging-voter',
    'no-leader',
    'split-view',
    'unreachable-voter',
    'defrag-failed',
    'defrag-unfinished',
    'lock-lost',
    'etcd-call-failed',
  ],
  'leader moved': ['no-leader', 'split-view', 'defrag-failed', 'etcd-call-failed'],
  'snapshot opened': ['snapshot-open'],
  'second run': ['busy'],
  // Both may want to move leadership away at once; and no read goes through a member that the other has just begun.
  // The other run moves the leader too.
  'second run without a lock': ['defrag-running', 'unreachable-voter', 'defrag-failed', 'no-leader', 'split-view'],
  'terminated': ['interrupted'],
};

/** What the runs claim against what the members did. One that could not even be asked is told of as well. */
function judgeReports(reports: readonly Report[], { calls, scenario, runs }: Evidence): string[] {
  if (scenario.fault === 'terminated' && runs[0]?.stdout === '') return [];
  const claimed = reports.flatMap(({ members = [] }) => members);
  const done = claimed.filter(({ error }) => error === null).map(({ name }) => name);
  const seen = calls.map(({ member }) => member);
  const unseen = done.filter((name) => !seen.includes(name));
  const untold = seen.filter((name) => !claimed.some((member) => member.name === name));
  return [
    ...unseen.map((name) => `${name} is reported as done and was never asked`),
    ...untold.map((name) => `${name} was asked and is not reported`),
  ];
}

function describeOutcome({ status }: EndedWarden, { error }: Report): string {
  if (error === undefined) return String(status);
  const because = [error.details?.code, error.details?.because].filter((part) => part !== undefined);
  return `${status} ${error.code}${because.length > 0 ? ` (${because.join(', ')})` : ''}`;
}
