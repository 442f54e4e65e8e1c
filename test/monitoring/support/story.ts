import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runPromtool } from '../../support/prometheus.ts';
import { readRules } from './alert-file.ts';
import { step, type Timeline, type Timelines } from './timelines.ts';

/** An alert that a story raises once, without a break. */
export interface Raised {
  readonly alert: string;
  readonly severity: 'warning' | 'critical';
  /** All but those two. */
  readonly labels: Readonly<Record<string, string>>;
  /** First minute in which it is raised, in steps. */
  readonly from: number;
  /** Last minute in which it is raised. The last of the story: it does not end. */
  readonly to: number;
  /** As it reads in the first minute; by the minute, where another one of its name is raised in the course of it. */
  readonly summary: string | ((minute: number) => string);
}

/** What Prometheus gets to see over some hours, and every alert that this raises. */
export interface Story {
  /** A sentence about the alerts, without its subject. */
  readonly title: string;
  readonly minutes: number;
  readonly series: Timelines;
  readonly raised: readonly Raised[];
}

/** Lets promtool compare. Resolves with what differs; with nothing where exactly those alerts are raised, to the step. */
export async function tellStory({ minutes, series, raised }: Story): Promise<string> {
  const compare = (expr: string, expected: (alert: Raised) => number): object => ({
    expr,
    eval_time: `${minutes}m`,
    exp_samples: raised.map((alert) => ({ labels: writeLabels(alert), value: expected(alert) })),
  });
  const firing = 'ALERTS{alertstate="firing"}';
  const test = {
    interval: `${step}m`,
    input_series: Object.entries(series).map(([name, timeline]) => ({
      series: name,
      values: writeValues(timeline, minutes),
    })),
    promql_expr_test: [
      compare(`min_over_time(timestamp(${firing})[${minutes}m:${step}m])`, ({ from }) => 60 * from),
      compare(`count_over_time(${firing}[${minutes}m:${step}m])`, ({ from, to }) => (to - from) / step + 1),
    ],
    alert_rule_test: raised.map(({ alert, from }) => ({
      alertname: alert,
      eval_time: `${from}m`,
      exp_alerts: raised
        .filter((other) => other.alert === alert && other.from <= from && from <= other.to)
        .map((other) => ({ exp_labels: labelsOf(other), exp_annotations: { summary: summaryAt(other, from) } })),
    })),
  };
  return runTest({ rule_files: ['rules.yaml'], evaluation_interval: `${step}m`, tests: [test] });
}

/** As Prometheus writes some minutes, if they are an hour at least and less than a day. */
export function humanize(minutes: number): string {
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m 0s`;
}

async function runTest(test: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'warden-story-'));
  try {
    // JSON is YAML.
    await writeFile(join(folder, 'rules.yaml'), JSON.stringify(readBriefRules()));
    await writeFile(join(folder, 'story.yaml'), JSON.stringify(test));
    const { status, output } = await runPromtool(['test', 'rules', join(folder, 'story.yaml')]);
    return status === 0 && output.includes('SUCCESS') ? '' : output;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** With nothing but the summary to compare; that descriptions can be written is what `promtool check rules` tells. */
function readBriefRules(): object {
  const { recordings, alerts } = readRules();
  const brief = alerts.map((rule) => ({ ...rule, annotations: { summary: rule.annotations['summary'] } }));
  return { groups: [{ name: 'etcd-warden', rules: [...recordings, ...brief] }] };
}

/** In promtool's notation: a series that ends is marked stale, as a scrape without it would do. */
function writeValues(timeline: Timeline, minutes: number): string {
  const values: string[] = [];
  let isServed = false;
  for (let minute = 0; minute <= minutes; minute += step) {
    const value = timeline(minute);
    values.push(value === undefined ? (isServed ? 'stale' : '_') : String(value));
    isServed = value !== undefined;
  }
  return values.join(' ');
}

function summaryAt({ summary }: Raised, minute: number): string {
  return typeof summary === 'string' ? summary : summary(minute);
}

function labelsOf({ severity, labels }: Raised): Record<string, string> {
  return { ...labels, severity };
}

function writeLabels(raised: Raised): string {
  const all = { ...labelsOf(raised), alertname: raised.alert, alertstate: 'firing' };
  return `{${Object.entries(all)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`;
}
