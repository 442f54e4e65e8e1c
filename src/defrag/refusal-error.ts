import { WardenError } from '../errors/warden-error.ts';
import type { DefragRefusal, DefragRefusalReason } from './plan.ts';

const hints: Readonly<Record<DefragRefusalReason, string>> = {
  'no-leader': 'Bring the cluster back to quorum first: look at the members with `etcd-warden status`.',
  'split-view': 'Wait until all members agree about leader and members, or find the one that is cut off.',
  'unstarted-member': 'Start the member that was added, or remove it with `etcdctl member remove`.',
  'unreachable-voter':
    'Bring the member back, or map its URL with cluster.endpointMap if it is only out of reach from here.',
  'lagging-voter': 'Wait until the member has caught up; look at its disk and its network.',
  'corrupt-alarm': 'Do not defragment a corrupt cluster: see docs/corruption.md.',
  'defrag-running': 'Wait until it is over: one member at a time, whoever asked for it.',
  'snapshot-open': 'Wait until the snapshot is taken: a defragmentation blocks everything until its stream ends.',
  'activity-unknown':
    'Set cluster.metrics to where the members serve /metrics, so that open snapshots are seen, or to off to go on without looking.',
  'unsafe-version': 'Upgrade etcd first, or go on with --accept-unsafe-version.',
  'would-break-quorum': 'Bring the other voters back first: a defragmentation takes its member away.',
  'no-recent-backup': 'Take a backup first, or lower defrag.requireBackupWithin.',
  'single-member': 'Set defrag.allowSingleMember to true if the cluster may stop serving while it runs.',
  'unknown-quota':
    "Set cluster.quota to the members' --quota-backend-bytes, or cluster.metrics to where they serve /metrics.",
  'no-successor': 'Wait until another voter is caught up, or set defrag.moveLeader to false.',
};

/** `done`: whether members were defragmented before it came to this. */
export function defragRefused({ because, explanation }: DefragRefusal, done = false): WardenError {
  const message = `nothing ${done ? 'more ' : ''}is defragmented (${because}): ${explanation}`;
  return new WardenError('defrag-refused', message, { details: { because }, hint: hints[because] });
}
