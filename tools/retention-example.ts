import { toPolicy } from '../src/agent/retention.ts';
import { describePruned } from '../src/cli/describe-pruned.ts';
import { parseConfig } from '../src/config/load.ts';
import type { PrunedRepository } from '../src/jobs/prune.ts';
import { makeBackupId } from '../src/repository/backup-id.ts';
import type { BackupFacts } from '../src/retention/facts.ts';
import type { RetentionPlan } from '../src/retention/plan.ts';
import { planRetention } from '../src/retention/plan-retention.ts';

const hourMs = 3_600_000;
const lineage = '539a06bb7d379e28';
const first = new Date('2026-08-01T01:00:00Z');
const last = new Date('2026-11-25T13:00:00Z');
const everyMs = 6 * hourMs;

const configuration = `\
cluster: {name: prod, endpoints: [https://127.0.0.1:2379]}
encryption: none
repositories:
  - name: primary
    store: {type: directory, path: /var/backups/etcd}
    retention: {keepLast: 4, hourly: 0, daily: 5, weekly: 3, monthly: 3, timeZone: Europe/Berlin}
`;

/** A quarter of a year of backups, pruned after each; then the plan of the last prune, as the command prints it. */
export function renderRetentionExample(): string {
  const retention = configuration.split('\n').find((line) => line.includes('retention:'));
  const output = describePruned([pruned(planOfLastPrune())], true, last).lines;
  const indented = ['etcd-warden prune --dry-run', '', ...output].map((line) => `    ${line}`.trimEnd());
  return `    ${retention?.trim()}\n\ngives\n\n${indented.join('\n').trimEnd()}\n`;
}

function planOfLastPrune(): RetentionPlan {
  const policy = policyOf(configuration);
  let backups: readonly BackupFacts[] = [];
  let plan: RetentionPlan | undefined;
  for (let time = first.getTime(); time <= last.getTime(); time += everyMs) {
    backups = [...backups, backupOf(new Date(time))];
    plan = planRetention(policy, { now: new Date(time), backups, lineage, expectedPerDay: 24 * (hourMs / everyMs) });
    if (plan.verdict === 'refuse') throw new Error(plan.explanation);
    backups = plan.decisions.filter(({ action }) => action === 'keep').map(({ backup }) => backup);
  }
  if (plan === undefined) throw new Error('no backup was planned for');
  return plan;
}

function policyOf(text: string) {
  const result = parseConfig(text, 'config.yaml', {});
  const [repository] = 'config' in result ? result.config.repositories : [];
  if (repository === undefined) throw new Error('the example has no policy');
  return toPolicy(repository.retention);
}

/** One on the first of October was held by somebody, and the newest of 22 November was found damaged. */
function backupOf(time: Date): BackupFacts {
  const number = Math.round((time.getTime() - first.getTime()) / everyMs);
  const id = makeBackupId(time, BigInt(1_000_000 + number * 5407), Uint8Array.from([5, 4, 3, 2, number % 256]));
  const isOn = (stamp: string): boolean => time.toISOString().startsWith(stamp);
  return {
    id: id.text,
    lineage,
    time,
    revision: id.revision,
    storedAt: new Date(time.getTime() + 20_000),
    state: isOn('2026-11-22T19') ? 'damaged' : 'complete',
    verifiedAt: isOn('2026-11-25T01') ? new Date(time.getTime() + 2 * hourMs) : undefined,
    drilledAt: undefined,
    holds: isOn('2026-10-01T01') ? ['before-upgrade'] : [],
    lockedUntil: undefined,
    storedBytes: 180_000_000 + number * 50_000,
  };
}

function pruned(plan: RetentionPlan): PrunedRepository {
  return {
    repository: 'primary',
    plan,
    removals: new Map(),
    remains: undefined,
    swept: undefined,
    otherLineages: new Map(),
    otherClusters: [],
    error: undefined,
  };
}
