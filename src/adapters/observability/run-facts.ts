import type { Family, FactGroup, JobFacts, RepositoryFactsGroup, Sample } from '../../ports/metrics-export.ts';
import { job as jobs, valuesOf } from './label-values.ts';
import { catalogue } from './metric-catalogue.ts';
import type { CataloguedFamily } from './metric-family.ts';

const rows: readonly CataloguedFamily[] = Object.values(catalogue);
const handedOnWith = new Map(rows.map((row) => [row.name, row.handedOnWith]));

/** Names of the families that say everything of a repository. */
export const repositoryFamilies: ReadonlySet<string> = namesWith('repository');

/** Names of every family that is handed on. */
export const handedOnFamilies: ReadonlySet<string> = namesWith('job', 'backup', 'repository');

/** Of all there is to serve, what a one-shot run leaves behind. */
export function selectRunFacts(cluster: string, families: readonly Family[]): FactGroup[] {
  const ended = labelsOf(families, catalogue.jobLastRun.name, 'job');
  const jobGroups = valuesOf(jobs)
    .filter((job) => ended.has(job))
    .map((job): JobFacts => ({
      about: 'job',
      cluster,
      job,
      families: pick(families, ({ name, labels }) => {
        const handedOn = handedOnWith.get(name);
        return handedOn === job || (handedOn === 'job' && (labels['job'] ?? job) === job);
      }),
    }));
  const listed = [...labelsOf(families, catalogue.repositoryLastListed.name, 'repository')];
  const repositoryGroups = listed.map((repository): RepositoryFactsGroup => ({
    about: 'repository',
    cluster,
    repository,
    families: pick(families, ({ name, labels }) => repositoryFamilies.has(name) && labels['repository'] === repository),
  }));
  return [...jobGroups, ...repositoryGroups];
}

function pick(families: readonly Family[], isWanted: (sample: Sample) => boolean): Family[] {
  return families
    .map((family) => ({ ...family, samples: family.samples.filter(isWanted) }))
    .filter(({ samples }) => samples.length > 0);
}

function labelsOf(families: readonly Family[], name: string, label: string): ReadonlySet<string> {
  const samples = families.find((family) => family.name === name)?.samples ?? [];
  return new Set(samples.map(({ labels }) => labels[label] ?? ''));
}

function namesWith(...owners: readonly CataloguedFamily['handedOnWith'][]): ReadonlySet<string> {
  return new Set(rows.filter((row) => owners.includes(row.handedOnWith)).map(({ name }) => name));
}
