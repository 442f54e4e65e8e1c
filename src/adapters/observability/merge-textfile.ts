import type { FactGroup, Family, Sample } from '../../ports/metrics-export.ts';
import { readSamples } from '../etcd/prometheus-text.ts';
import { catalogue } from './metric-catalogue.ts';
import { handedOnFamilies, repositoryFamilies } from './run-facts.ts';

export interface MergedFamilies {
  readonly families: readonly Family[];
  /** Lines of the old file that were damaged, or not ours, or of a family that this version does not know. */
  readonly lostLines: number;
}

/**
 * What the file says from now on: the run's facts, and of the old file what they do not replace. That is the rule of the
 * Pushgateway's groups: a job's families are replaced one by one, a repository as a whole.
 */
export function mergeFacts(oldText: string, groups: readonly FactGroup[]): MergedFamilies {
  const old: readonly Sample[] = [...readSamples(oldText, handedOnFamilies)].map((sample) => ({
    ...sample,
    labels: Object.fromEntries(sample.labels),
  }));
  const kept = old.filter((sample) => !groups.some((group) => isReplaced(sample, group)));
  const told = groups.flatMap(({ families }) => families.flatMap(({ samples }) => samples));
  // The version is said with every job, and a damaged file may say a thing twice.
  const samples = new Map([...kept, ...told].map((sample) => [seriesOf(sample), sample])).values().toArray();
  const families = Object.values(catalogue)
    .map(({ name, type, help }) => ({ name, type, help, samples: samples.filter((sample) => sample.name === name) }))
    .filter((family) => family.samples.length > 0);
  const lines = oldText.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return { families, lostLines: lines.length - old.length };
}

/** A text that holds the metrics of others and none of ours: not a file to write over. */
export function belongsToOthers(text: string): boolean {
  const hasSamples = /^[A-Za-z_:][\w:]*(?:\{.*\})?[ \t]+[-+\d.NI]\S*[ \t\r]*\d*$/m.test(text);
  return hasSamples && !text.includes('etcd_warden_');
}

function isReplaced({ name, labels }: Sample, group: FactGroup): boolean {
  if (labels['cluster'] !== group.cluster) return false;
  if (group.about === 'repository') return repositoryFamilies.has(name) && labels['repository'] === group.repository;
  return (labels['job'] ?? group.job) === group.job && group.families.some((family) => family.name === name);
}

function seriesOf({ name, labels }: Sample): string {
  return JSON.stringify([
    name,
    ...Object.entries(labels)
      .map((label) => label.join('='))
      .sort(),
  ]);
}
