import type { MemberFacts } from '../defrag/facts.ts';
import type { DefragPlan } from '../defrag/plan.ts';
import { nameOfId } from '../defrag/words.ts';
import type { DefragRun } from '../jobs/defrag.ts';
import { formatBytes, formatDuration } from '../format.ts';
import type { Result } from './output.ts';
import { formatTable } from './table.ts';

/** What a run would do: every member, in the order of the steps, with its reasons. */
export function describeDefragPlan(plan: DefragPlan): Result {
  return { json: { dryRun: true, ...planToJson(plan) }, lines: planToLines(plan) };
}

/** What a run did, after the plan that it began with. */
export function describeDefragRun(run: DefragRun): Result {
  const { plan, members, moves, disarmed, stoppedBy } = run;
  return {
    json: {
      dryRun: false,
      ...planToJson(plan),
      moves,
      members: members.map(({ name, beforeBytes, afterBytes, durationMs, outlastedCall, error }) => ({
        name,
        beforeBytes,
        afterBytes: afterBytes ?? null,
        reclaimedBytes: afterBytes === undefined ? null : beforeBytes - afterBytes,
        seconds: Math.round(durationMs) / 1000,
        outlastedCall,
        error: error === undefined ? null : { code: error.code, message: error.message },
      })),
      disarmed: disarmed.memberIds.map((id) => id.toString(16)),
      nospaceStays: disarmed.stays ?? null,
      stoppedBy: stoppedBy === undefined ? null : { code: stoppedBy.code, message: stoppedBy.message },
    },
    lines: [
      ...planToLines(plan),
      ...(members.length === 0 ? [] : ['', ...membersToLines(members)]),
      ...moves.map(({ from, to }) => `leadership was moved from ${from} to ${to}`),
      ...disarmed.memberIds.map((id) => `the alarm NOSPACE of ${nameOfId(id, memberList(plan))} was lifted`),
      ...(disarmed.stays === undefined ? [] : [disarmed.stays]),
    ],
  };
}

function memberList({ steps, skipped }: DefragPlan): readonly MemberFacts[] {
  return [...steps, ...skipped].map(({ member }) => member);
}

function membersToLines(members: DefragRun['members']): string[] {
  return formatTable(members, [
    { title: 'MEMBER', value: ({ name }) => name },
    { title: 'BEFORE', align: 'right', value: ({ beforeBytes }) => formatBytes(beforeBytes) },
    {
      title: 'AFTER',
      align: 'right',
      value: ({ afterBytes }) => (afterBytes === undefined ? '-' : formatBytes(afterBytes)),
    },
    { title: 'TOOK', align: 'right', value: ({ durationMs }) => formatDuration(durationMs) },
    { title: 'RESULT', value: describeResult },
  ]);
}

function describeResult({ beforeBytes, afterBytes, outlastedCall, error }: DefragRun['members'][number]): string {
  if (error !== undefined) return error.code;
  const late = outlastedCall ? ', after the call had ended without an answer' : '';
  const reclaimed = beforeBytes - (afterBytes ?? beforeBytes);
  return `${reclaimed > 0 ? `${formatBytes(reclaimed)} reclaimed` : 'no smaller; its cooldown begins'}${late}`;
}

function planToJson(plan: DefragPlan): object {
  return {
    verdict: plan.verdict,
    because: plan.verdict === 'refuse' ? plan.because : null,
    explanation: plan.verdict === 'refuse' ? plan.explanation : null,
    steps: plan.steps.map(({ member, role, moveLeaderTo, reasons, predictedReclaimBytes, isEmergency }) => ({
      member: member.name,
      id: member.id.toString(16),
      role,
      moveLeaderTo: moveLeaderTo?.name ?? null,
      reasons,
      predictedReclaimBytes,
      isEmergency,
    })),
    skipped: plan.skipped.map(({ member, reasons }) => ({ member: member.name, id: member.id.toString(16), reasons })),
  };
}

function planToLines(plan: DefragPlan): string[] {
  const isRefused = plan.verdict === 'refuse';
  const rows = [
    ...plan.steps.map(({ member, role, moveLeaderTo, reasons, predictedReclaimBytes }, index) => ({
      member: member.name,
      role,
      plan: `${isRefused ? 'would be ' : ''}${index + 1}${moveLeaderTo === undefined ? '' : `, after ${moveLeaderTo.name} leads`}`,
      reclaim: formatBytes(predictedReclaimBytes),
      why: reasons.join('; '),
    })),
    ...plan.skipped.map(({ member, reasons }) => ({
      member: member.name,
      role: member.isLearner ? 'learner' : member.answer?.leaderId === member.id ? 'leader' : 'follower',
      plan: '-',
      reclaim: '-',
      why: reasons.join('; '),
    })),
  ];
  return [
    ...(isRefused ? [`nothing is defragmented (${plan.because}): ${plan.explanation}`] : []),
    ...(plan.steps.length === 0 && !isRefused ? ['nothing to defragment'] : []),
    ...formatTable(rows, [
      { title: 'MEMBER', value: ({ member }) => member },
      { title: 'ROLE', value: ({ role }) => role },
      { title: isRefused ? 'REFUSED' : 'STEP', value: (row) => row.plan },
      { title: 'TO RECLAIM', align: 'right', value: ({ reclaim }) => reclaim },
      { title: 'WHY', value: ({ why }) => why },
    ]),
  ];
}
