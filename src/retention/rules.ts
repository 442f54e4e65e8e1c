import type { BackupFacts } from './facts.ts';
import { day, hour, month, week, year, type Period } from './periods.ts';
import type { RetentionPolicy } from './policy.ts';
import { exactDuration } from './words.ts';

/** A backup in its place on the walk. */
export interface Candidate {
  readonly facts: BackupFacts;
  /** When it was taken, as far as that can be believed. */
  readonly time: Date;
  readonly localTime: Temporal.ZonedDateTime;
}

/**
 * A rule during one walk from the newest backup to the oldest. `judge` says in words why it keeps a candidate, by the
 * sound backups newer than it, and changes nothing; `count` notes a sound one that was walked past.
 */
export interface Rule {
  readonly judge: (candidate: Candidate) => string | undefined;
  readonly count: (candidate: Candidate) => void;
}

/** Those that keep something, in the order in which their reasons are told. */
export function rulesOf(policy: RetentionPolicy, now: Date): readonly Rule[] {
  return [
    newest(1, 'newest'),
    newest(1, 'newest read back', ({ facts }) => facts.verifiedAt !== undefined),
    newest(1, 'newest drilled', ({ facts }) => facts.drilledAt !== undefined),
    newest(policy.keepLast, `among the newest ${policy.keepLast}`),
    youngerThan(policy.keepWithinMs, now),
    newestOfEach(hour, policy.hourly),
    newestOfEach(day, policy.daily),
    newestOfEach(week, policy.weekly),
    newestOfEach(month, policy.monthly),
    newestOfEach(year, policy.yearly),
    newest(policy.keepMin, `one of ${policy.keepMin} that always stay`),
  ];
}

function newest(limit: number, reason: string, applies: (candidate: Candidate) => boolean = () => true): Rule {
  let counted = 0;
  return {
    judge: (candidate) => (counted < limit && applies(candidate) ? reason : undefined),
    count: (candidate) => {
      if (applies(candidate)) counted++;
    },
  };
}

function youngerThan(limitMs: number, now: Date): Rule {
  const reason = `younger than ${exactDuration(limitMs)}`;
  return {
    judge: ({ time, facts }) => {
      // Since it was stored: that clock is not the writer's, whose date may be wrong.
      const since = facts.storedAt > time ? facts.storedAt : time;
      return limitMs > 0 && now.getTime() - since.getTime() <= limitMs ? reason : undefined;
    },
    count: () => {},
  };
}

/** Only periods that have a backup count, so that a pause in backups removes nothing. */
function newestOfEach({ kind, nameOf }: Period, limit: number): Rule {
  const served = new Set<string>();
  return {
    judge: ({ localTime }) => {
      if (served.size >= limit) return undefined;
      const name = nameOf(localTime);
      return served.has(name) ? undefined : `${kind} ${name}`;
    },
    count: ({ localTime }) => {
      if (served.size < limit) served.add(nameOf(localTime));
    },
  };
}
