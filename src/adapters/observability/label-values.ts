import type {
  BackupStage,
  CertificateUse,
  JobName,
  JobResult,
  MemberMeasures,
  RepositoryFacts,
  SkipReason,
} from '../../ports/metrics.ts';

/** A closed set, each value with its meaning; or, in words, where the values come from. */
export type LabelValues = Readonly<Record<string, string>> | string;

export const job: Record<JobName, string> = {
  backup: 'takes, proves and stores a backup',
  verify: 'reads stored backups back',
  drill: 'restores one into a scratch etcd',
  prune: 'carries out retention',
  defrag: 'defragments members that are due',
};

export const result: Record<JobResult, string> = {
  succeeded: 'done, or nothing to do (exit status 0)',
  failed: 'exit status 1',
  usage: 'wrong configuration (2)',
  damage: 'bytes are not what they should be (3)',
  refused: 'doing it would not be safe (4)',
  partly: 'some repository or member failed (5)',
  busy: 'another run held the lock (6)',
  interrupted: 'told to stop',
};

export const reason: Record<SkipReason, string> = {
  running: 'the same job still ran',
  served: 'another run had done the work',
  busy: 'another process holds the lock',
  nothing: 'there was nothing to work on',
  merged: 'the run for a later time stood for it',
  late: 'it was noticed too late, and the job skips what it missed',
  missed: 'it was passed over, and the job skips what it missed',
};

export const stage: Record<BackupStage, string> = {
  choose: 'members are asked',
  stream: 'bytes flow',
  compare: 'with the live members',
  commit: 'objects become visible',
};

export const sizeStage = { snapshot: 'as etcd streamed it', stored: 'compressed and sealed' };

export const state: Record<keyof RepositoryFacts['backups'], string> = {
  complete: 'with a manifest',
  incomplete: 'without one, which is no backup',
  damaged: 'with evidence of damage',
  held: 'exempt from retention',
};

export const alarm: Record<MemberMeasures['alarms'][number], string> = {
  NOSPACE: 'the quota is used up',
  CORRUPT: 'its data differ from the others',
};

export const use: Record<CertificateUse, string> = {
  'etcd-ca': 'the authority that etcd is checked against',
  'etcd-client': 'our own towards etcd',
  'store-ca': 'the authority that the store is checked against',
};

export const repository = 'names of the configuration';
export const member = 'names that etcd lists, at most 64, cut to 128 characters';

export const version = 'the version of etcd-warden';

/** The values of a closed set. */
export function valuesOf<Value extends string>(closedSet: Readonly<Record<Value, string>>): Value[] {
  return Object.keys(closedSet) as Value[];
}
