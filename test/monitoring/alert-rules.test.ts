import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stories } from './stories/all.ts';
import { readRules } from './support/alert-file.ts';
import { findUnknown } from './support/known-metrics.ts';

const runbooks = 'https://github.com/etcd-warden/etcd-warden/blob/main/docs/runbooks';
const { alerts, recordings } = readRules();

describe.each(alerts)('$alert ($labels.severity)', ({ alert, expr, labels, annotations, for: held }) => {
  it('says how long it waits, how bad it is, what is wrong and where to read on', () => {
    expect(held).toMatch(/^\d+[mh]$/);
    expect(Object.keys(labels)).toEqual(['severity']);
    expect(labels['severity']).toMatch(/^(warning|critical)$/);
    expect(Object.keys(annotations)).toEqual(['summary', 'description', 'runbook_url']);
    expect(annotations['summary']).toMatch(/^\S.{20,180}\.$/);
    expect(annotations['description']).toMatch(/^\S.{80,}[.]$/);
    expect(annotations['runbook_url']).toBe(`${runbooks}/${alert}.md`);
  });

  it('asks for nothing that nobody exports', () => {
    expect(findUnknown(expr)).toEqual([]);
  });

  const raised = stories.flatMap((story) =>
    story.raised
      .filter((one) => one.alert === alert && one.severity === labels['severity'])
      .map((one) => ({ ...one, isOver: one.to < story.minutes })),
  );

  it('is raised in some story, and over at its end', () => {
    expect(raised.filter(({ isOver }) => isOver).length).toBeGreaterThan(0);
  });

  it('names only labels that it has', () => {
    const texts = Object.values(annotations).join(' ');
    const named = [...texts.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label ?? '');
    expect(named.length).toBeGreaterThan(0);
    for (const one of raised) expect(Object.keys(one.labels)).toEqual(expect.arrayContaining([...new Set(named)]));
  });
});

it.each(recordings)('$record asks for nothing that nobody exports', ({ expr }) => {
  expect(findUnknown(expr)).toEqual([]);
});

it('what nobody exports is found out', () => {
  const expression =
    'etcd_warden_jobs{a="b"} + etcd_warden_job_running{job=~"backup|bakcup", color="red"} + etcd_warden:nothing';
  expect(findUnknown(expression)).toEqual([
    'etcd_warden_jobs',
    'etcd_warden_job_running{job="bakcup"}',
    'etcd_warden_job_running{color}',
    'etcd_warden:nothing',
  ]);
});

it('every runbook belongs to an alert, and every alert has one', async () => {
  const files = await readdir(resolve(import.meta.dirname, '../../docs/runbooks'));
  expect(files.sort()).toEqual([...new Set(alerts.map(({ alert }) => `${alert}.md`))].sort());
});
