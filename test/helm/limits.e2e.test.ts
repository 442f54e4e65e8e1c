import { beforeAll, describe, expect, it } from 'vitest';
import { parseCron } from '../../src/config/cron.ts';
import { exitStatus } from '../../src/errors/table.ts';
import { nextOccurrence } from '../../src/schedule/occurrences.ts';
import { configOf } from '../config/minimal-config.ts';
import type { CronJob, PodSpec } from './kubernetes-objects.ts';
import { platforms, readExample, renderChart, type Rendering, withValue } from './render-chart.ts';

const daemonSchedules = { backup: { cron: '*/30 * * * *' } };
/** What Kubernetes may take to schedule a pod, to pull its image and to start it. */
const startSeconds = 60;
/** How often the CronJob controller looks: what must begin sooner than that may never begin. Source: Kubernetes, "CronJob". */
const controllerPeriodSeconds = 10;

// field: F151
describe.each([...platforms, 'everything'])('every job of the example %s', (example) => {
  let rendering: Rendering;
  let jobs: readonly CronJob[];

  beforeAll(async () => {
    rendering = await renderChart(await readExample(example));
    jobs = rendering.all('CronJob');
  });

  it('is ended before the next one is due, on any day of the year', () => {
    expect(jobs.length).toBeGreaterThanOrEqual(4);
    for (const { metadata, spec } of jobs) {
      const shortest = shortestIntervalSeconds(spec.schedule);
      expect([metadata.name, spec.jobTemplate.spec.activeDeadlineSeconds < shortest]).toEqual([metadata.name, true]);
    }
  });

  it('gives up by itself, with time to start and to release what it holds, before Kubernetes ends it', () => {
    for (const { spec } of jobs) {
      const { activeDeadlineSeconds, template } = spec.jobTemplate.spec;
      const { args } = template.spec.containers[0];
      const deadline = /^(\d+)s$/.exec(args[args.indexOf('--deadline') + 1] ?? '')?.[1];
      const shutdownSeconds = configFor(template.spec, rendering).shutdownTimeout.ms / 1000;
      expect(Number(deadline) + startSeconds + shutdownSeconds).toBe(activeDeadlineSeconds);
      expect(Number(deadline)).toBeGreaterThan(60);
    }
  });

  it('is not tried without end, and does not stay for ever', () => {
    for (const { spec } of jobs) {
      expect(spec.jobTemplate.spec.backoffLimit).toBeLessThanOrEqual(1);
      expect(spec.jobTemplate.spec.ttlSecondsAfterFinished).toBeGreaterThan(0);
      expect(spec.jobTemplate.spec.template.spec.restartPolicy).toBe('Never');
    }
  });

  it('that could not begin in time is left out, so that missed ones never add up, and none begins beside another', () => {
    for (const { spec } of jobs) {
      expect(spec.startingDeadlineSeconds).toBeGreaterThan(controllerPeriodSeconds);
      expect(spec.startingDeadlineSeconds).toBeLessThan(shortestIntervalSeconds(spec.schedule));
      expect(spec.concurrencyPolicy).toBe('Forbid');
    }
  });
});

// field: F153
it.each([...platforms, 'everything'])(
  'a run of the example %s is tried again unless its exit status says that this would not help',
  async (example) => {
    const { usage, damage, refused, partly } = exitStatus;
    const jobs = (await renderChart(await readExample(example))).all('CronJob');
    expect(jobs).not.toEqual([]);
    for (const { metadata, spec } of jobs) {
      const { podFailurePolicy, template } = spec.jobTemplate.spec;
      const failing = podFailurePolicy.rules.filter(({ action }) => action === 'FailJob');
      expect([metadata.name, failing.map(({ onExitCodes }) => onExitCodes)]).toEqual([
        metadata.name,
        [{ containerName: template.spec.containers[0].name, operator: 'In', values: [usage, damage, refused, partly] }],
      ]);
    }
  },
);

describe.each([
  ['cronjob', undefined],
  ['daemon', daemonSchedules],
] as const)('in mode %s', (mode, schedules) => {
  it.each(platforms)('every pod on %s has longer to end than the agent takes', async (platform) => {
    const values = withValue(withValue(await readExample(platform), 'mode', mode), 'config.schedules', schedules);
    const rendering = await renderChart(values);
    const pods = podsOf(rendering);
    expect(pods.length).toBe(mode === 'daemon' ? 1 : 5);
    for (const pod of pods) {
      const { shutdownTimeout } = configFor(pod, rendering);
      expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(shutdownTimeout.ms + 10_000);
    }
  });
});

it.each(platforms)(
  'every pod on %s has memory for the largest database that etcd advises, at worst',
  async (platform) => {
    // 320 MiB, and at worst 60 more for each GiB, as values.yaml says. Source for 8 GiB: etcd, "System limits".
    for (const { containers } of podsOf(await renderChart(await readExample(platform)))) {
      const [, amount, unit] = /^(\d+)(Mi|Gi)$/.exec(containers[0].resources.limits.memory) ?? [];
      expect(Number(amount) * (unit === 'Gi' ? 1024 : 1)).toBeGreaterThanOrEqual(320 + 60 * 8);
    }
  },
);

it('a longer shutdown is taken off the time to work', async () => {
  const values = withValue(await readExample('generic'), 'config.shutdownTimeout', '2m');
  const { find } = await renderChart(withValue(values, 'pod', { terminationGracePeriodSeconds: 150 }));
  const { args } = find('CronJob', 'etcd-warden-backup').spec.jobTemplate.spec.template.spec.containers[0];
  expect(args).toContain(`${1500 - startSeconds - 120}s`);
});

function podsOf({ all }: Rendering): readonly PodSpec[] {
  return [
    ...all('CronJob').map(({ spec }) => spec.jobTemplate.spec.template.spec),
    ...all('Deployment').map(({ spec }) => spec.template.spec),
  ];
}

function configFor({ volumes }: PodSpec, { find }: Rendering): ReturnType<typeof configOf> {
  const { configMap } = volumes.find(({ name }) => name === 'config') as unknown as { configMap: { name: string } };
  const text = find('ConfigMap', configMap.name).data['config.yaml'] ?? '';
  return configOf(text, { EVENTS_HOST: 'events.example.com' });
}

/** The least time between two runs in a year, by the agent's own clockwork. */
function shortestIntervalSeconds(cron: string): number {
  const schedule = parseCron(cron);
  const end = new Date('2027-01-01T00:00:00Z');
  let shortest = Number.POSITIVE_INFINITY;
  let previous: Date | undefined;
  for (let at = new Date('2026-01-01T00:00:00Z'); at < end;) {
    const next = nextOccurrence(schedule, 'UTC', at);
    if (next === undefined) break;
    if (previous !== undefined) shortest = Math.min(shortest, (next.getTime() - previous.getTime()) / 1000);
    previous = at = next;
  }
  return shortest;
}
