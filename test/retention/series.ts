import type { BackupFacts, RetentionFacts } from '../../src/retention/facts.ts';
import type { Decision, RetentionPlan } from '../../src/retention/plan.ts';
import { planRetention, type PlanOptions } from '../../src/retention/plan-retention.ts';
import type { RetentionPolicy } from '../../src/retention/policy.ts';

/** Series of backups and what becomes of them, in few words. */

export const lineage = '0123456789abcdef';
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** Keeps nothing but what always stays, and lets all the rest go at once. */
export const nothing: RetentionPolicy = {
  keepLast: 0,
  keepWithinMs: 0,
  hourly: 0,
  daily: 0,
  weekly: 0,
  monthly: 0,
  yearly: 0,
  timeZone: 'UTC',
  keepMin: 1,
  maxRemovedPercent: 100,
};

export function keeping(changes: Partial<RetentionPolicy>): RetentionPolicy {
  return { ...nothing, ...changes };
}

/** A sound backup, stored 20 s after its date; its id is its date, as far as that is given. */
export function backup(time: string | Date, changes: Partial<BackupFacts> = {}): BackupFacts {
  const date = typeof time === 'string' ? new Date(`${time}${time.length > 10 ? '' : 'T00:00'}Z`) : time;
  return {
    id: typeof time === 'string' ? time : time.toISOString().slice(0, 16),
    lineage,
    time: date,
    revision: BigInt(Math.floor(date.getTime() / 1000)),
    storedAt: new Date(date.getTime() + 20_000),
    state: 'complete',
    verifiedAt: undefined,
    drilledAt: undefined,
    holds: [],
    lockedUntil: undefined,
    storedBytes: 1_000_000,
    ...changes,
  };
}

/** `count` backups, the last of them at `until`. */
export function every(stepMs: number, count: number, until: string | Date): BackupFacts[] {
  const last = backup(until).time.getTime();
  return Array.from({ length: count }, (_, index) => backup(new Date(last - (count - 1 - index) * stepMs)));
}

interface Situation extends Partial<RetentionFacts>, PlanOptions {}

/** A minute after the newest backup unless `now` is given. */
export function plan(
  policy: Partial<RetentionPolicy>,
  backups: readonly BackupFacts[],
  { accepted = new Set(), ...facts }: Situation = {},
): RetentionPlan {
  const newest = Math.max(0, ...backups.map(({ time }) => time.getTime()));
  return planRetention(
    keeping(policy),
    { now: new Date(newest + minuteMs), backups, lineage: undefined, expectedPerDay: undefined, ...facts },
    { accepted },
  );
}

export function keptIds({ decisions }: RetentionPlan): string[] {
  return decisions.filter(({ action }) => action === 'keep').map(({ backup: { id } }) => id);
}

export function removedIds({ decisions }: RetentionPlan): string[] {
  return decisions.filter(({ action }) => action === 'remove').map(({ backup: { id } }) => id);
}

/** `keep` or `remove` and why, by id. */
export function outcome(decisions: readonly Decision[] | RetentionPlan): Record<string, string> {
  const list = 'decisions' in decisions ? decisions.decisions : decisions;
  return Object.fromEntries(
    list.map(({ backup: { id }, action, reasons }) => [id, `${action}: ${reasons.join('; ')}`]),
  );
}

export function refusalOf(found: RetentionPlan): string {
  return found.verdict === 'go' ? 'go' : `${found.because}: ${found.explanation}`;
}

/** What is left once the plan was carried out. */
export function carryOut({ decisions }: RetentionPlan): BackupFacts[] {
  return decisions.filter(({ action }) => action === 'keep').map((decision) => decision.backup);
}
