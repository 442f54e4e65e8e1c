import type { MemberAnswer, Quota } from './facts.ts';
import type { DefragRule } from './policy.ts';
import { reclaimableBytes } from './usage.ts';
import { enumerate, exactPercent, measuredPercent, size } from './words.ts';

type Outcome = 'holds' | 'fails' | 'unknown';

/** What a rule, or one condition of it, says of a member: it holds, it fails, or it cannot be told without the quota. */
interface Judgement {
  readonly outcome: Outcome;
  /** What was wanted and what was found. */
  readonly words: string;
}

/** A rule whose conditions all hold is due. One that fails makes the rule fail, whatever is unknown beside it. */
export function judgeRule(rule: DefragRule, answer: MemberAnswer, quota: Quota): Judgement {
  const conditions = judgeConditions(rule, answer, quota);
  const wordsOf = (wanted: Outcome) => conditions.filter(({ outcome }) => outcome === wanted).map(({ words }) => words);
  const failed = wordsOf('fails');
  if (failed.length > 0) return { outcome: 'fails', words: enumerate(failed) };
  const unknown = wordsOf('unknown');
  if (unknown.length > 0 && quota.kind === 'unknown') {
    const wanted = `${enumerate(unknown)} cannot be told without the quota`;
    return { outcome: 'unknown', words: `${wanted}, which is not known: ${quota.reason}` };
  }
  return conditions.length === 0
    ? { outcome: 'fails', words: 'it has no condition' }
    : { outcome: 'holds', words: enumerate(wordsOf('holds')) };
}

function judgeConditions(rule: DefragRule, answer: MemberAnswer, quota: Quota): readonly Judgement[] {
  const { fragmentationAbove, dbSizeAboveBytes, reclaimableAbove, usageAbove } = rule;
  const { dbSizeBytes } = answer;
  const reclaimable = reclaimableBytes(answer);
  const conditions: Judgement[] = [];
  if (fragmentationAbove !== undefined) {
    const fragmentation = dbSizeBytes > 0 ? reclaimable / dbSizeBytes : 0;
    conditions.push(compareParts('fragmentation', fragmentation, fragmentationAbove));
  }
  if (dbSizeAboveBytes !== undefined) conditions.push(compareSizes('database', dbSizeBytes, dbSizeAboveBytes));
  if (reclaimableAbove !== undefined) {
    conditions.push(
      'bytes' in reclaimableAbove
        ? compareSizes('reclaimable', reclaimable, reclaimableAbove.bytes)
        : compareToShare(reclaimable, reclaimableAbove.fractionOfQuota, quota),
    );
  }
  if (usageAbove !== undefined) {
    conditions.push(
      quota.kind === 'limited'
        ? compareParts('usage', dbSizeBytes / quota.bytes, usageAbove)
        : withoutLimit(`usage above ${exactPercent(usageAbove)}`, quota),
    );
  }
  return conditions;
}

function compareToShare(reclaimable: number, fraction: number, quota: Quota): Judgement {
  const share = `${exactPercent(fraction)} of the quota`;
  if (quota.kind !== 'limited') return withoutLimit(`reclaimable above ${share}`, quota);
  const limit = fraction * quota.bytes;
  return compare(reclaimable > limit, `reclaimable ${size(reclaimable)}`, `${share} (${size(limit)})`);
}

function compareSizes(what: string, found: number, limit: number): Judgement {
  return compare(found > limit, `${what} ${size(found)}`, size(limit));
}

function compareParts(what: string, found: number, limit: number): Judgement {
  return compare(found > limit, `${what} ${measuredPercent(found)}`, exactPercent(limit));
}

function compare(holds: boolean, found: string, limit: string): Judgement {
  return holds
    ? { outcome: 'holds', words: `${found} is above ${limit}` }
    : { outcome: 'fails', words: `${found} is not above ${limit}` };
}

function withoutLimit(wanted: string, { kind }: Exclude<Quota, { kind: 'limited' }>): Judgement {
  return kind === 'unknown'
    ? { outcome: 'unknown', words: wanted }
    : { outcome: 'fails', words: `${wanted} never holds of an unlimited quota` };
}
