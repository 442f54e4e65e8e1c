import { expect, it } from 'vitest';
import { parseCron } from '../../src/config/cron.ts';
import { longestIntervalSeconds } from '../../src/schedule/longest-interval.ts';
import { readExample, renderChart, withValue } from './render-chart.ts';

/** Schedules that run once in their hour, day, week or month: of those the chart knows the interval to the second. */
const exact = [
  '*/5 * * * *',
  '7,37 * * * *',
  '5-50/15 * * * *',
  '13 * * * *',
  '0 */6 * * *',
  '17 3 * * *',
  '0 9-17 * * *',
  '47 5 * * 0',
  '47 5 * * 1-5',
  '47 5 * * MON-FRI',
  '0 0 * * sun,wed',
  '0 0 1 * *',
  '0 0 1,15 * *',
];
/** Of these it takes a little more for normal than the longest wait is. */
const bounded = [
  '0,30 */2 * * *',
  '*/10 1-5 * * *',
  '15 1,13 * * 6',
  '0 4 1 */3 *',
  '0 4 1 jan,jul *',
  '0 4 1 1 *',
  '0 4 31 * *',
];

/** One cluster a schedule, so that Helm has to be asked once. */
async function intervalsOf(schedules: readonly string[]): Promise<number[]> {
  const clusters = schedules.map((schedule, index) => ({
    name: `c${index}`,
    config: { cluster: { endpoints: ['https://etcd:2379'] } },
    jobs: { backup: { schedule, activeDeadlineSeconds: 150 } },
  }));
  const values = withValue(await readExample('everything'), 'clusters', clusters);
  const { find } = await renderChart(withValue(values, 'networkPolicy', {}));
  const rules = find('PrometheusRule', 'warden-alerts').spec.groups[0]?.rules ?? [];
  return schedules.map((_, index) => {
    const rule = rules.find(({ labels }) => labels?.['cluster'] === `c${index}` && labels['job'] === 'backup');
    expect(rule?.record).toBe('etcd_warden_job_interval_seconds');
    return Number(/^vector\((\d+)\)$/.exec(rule?.expr ?? '')?.[1]);
  });
}

it.each([
  ['to the second where a job runs once in its hour, day, week or month', exact],
  ['or a little more, never less, elsewhere', bounded],
])('the rules say how far apart the runs of a CronJob lie, %s', async (_, schedules) => {
  const told = await intervalsOf(schedules);
  const longest = schedules.map((schedule) => longestIntervalSeconds(parseCron(schedule)));
  if (schedules === exact) expect(told).toEqual(longest);
  expect(told.filter((seconds, index) => seconds < (longest[index] ?? Number.NaN))).toEqual([]);
  expect(told.filter((seconds, index) => seconds > 2.5 * (longest[index] ?? Number.NaN))).toEqual([]);
});

it('nothing is told of a schedule that the agent keeps itself: it exports that', async () => {
  const values = withValue(await readExample('daemon'), 'monitoring', { prometheusRule: { enabled: true } });
  const { find } = await renderChart(values);
  const records = find('PrometheusRule', 'etcd-warden-alerts').spec.groups.flatMap(({ rules }) => rules);
  expect(records.filter(({ record }) => record === 'etcd_warden_job_interval_seconds')).toEqual([]);
});
