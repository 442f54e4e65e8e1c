import { describe, expect, it } from 'vitest';
import { expectRefusal, type WrongValues } from './expect-refusal.ts';
import { readExample, renderChart, type Values, withValue } from './render-chart.ts';

const generic = await readExample('generic');
const daemon = await readExample('daemon');
const everything = await readExample('everything');

const monitored = (values: Values, monitoring: object): Values => withValue(values, 'monitoring', monitoring);
const unseen = withValue(generic, 'exporter', { enabled: false });

const wrongMonitoring: readonly WrongValues[] = [
  [
    'two monitors',
    monitored(generic, { podMonitor: { enabled: true }, serviceMonitor: { enabled: true } }),
    'monitoring.podMonitor.enabled and monitoring.serviceMonitor.enabled',
    'set one of them to false',
  ],
  [
    'a monitor of no Service',
    monitored(withValue(generic, 'service', { enabled: false }), { serviceMonitor: { enabled: true } }),
    'monitoring.serviceMonitor.enabled needs service.enabled',
    'set it to true',
  ],
  [
    'a monitor of no pod',
    monitored(unseen, { podMonitor: { enabled: true } }),
    'monitoring.podMonitor.enabled is true, but nothing serves metrics',
    'set exporter.enabled to true',
  ],
  [
    'a monitor of a Service that leads nowhere',
    monitored(unseen, { serviceMonitor: { enabled: true } }),
    'monitoring.serviceMonitor.enabled is true, but nothing serves metrics',
    'or monitoring.serviceMonitor.enabled to false',
  ],
  [
    'a misspelt alert',
    monitored(generic, { prometheusRule: { enabled: true, disabled: ['EtcdBackupToOld'] } }),
    'monitoring.prometheusRule.disabled: there is no alert EtcdBackupToOld',
    'EtcdBackupTooOld',
  ],
  [
    'rules that tell nothing',
    monitored(daemon, { prometheusRule: { enabled: true, alerts: false } }),
    'monitoring.prometheusRule.alerts is false, and there are no CronJobs',
    'set monitoring.prometheusRule.enabled to false',
  ],
];

describe('Helm refuses, in a sentence that names the key and the cure,', () => {
  it.each(wrongMonitoring)('%s', (_, values, key, cure) => expectRefusal(values, key, cure));
});

it('where one of several clusters has an exporter, that one is scraped', async () => {
  const [main = {}, events = {}] = everything['clusters'] as readonly object[];
  const { objects } = await renderChart(
    withValue(everything, 'clusters', [main, { ...events, exporter: { enabled: false } }]),
  );
  const monitors = objects.filter(({ kind }) => kind === 'PodMonitor').map(({ metadata }) => metadata.name);
  expect(monitors).toEqual(['warden-main-exporter']);
});
