import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { chart } from '../helm/render-chart.ts';
import type { Event, Job, List } from './support/objects.ts';
import { reportEnd, runPod } from './support/pod-process.ts';
import { openSite, releaseValues, type Site } from './support/site.ts';

const namespace = 'backups';

/* What the controllers of a real Kubernetes make of the chart's Jobs when something goes wrong. */
describe('A Job of the chart', () => {
  let site: Site;
  let valuesFile: string;

  beforeAll(async () => {
    site = await openSite();
    await site.makeNamespace(namespace, 'restricted');
    valuesFile = join(site.folder, 'values.json');
    await writeFile(valuesFile, JSON.stringify(releaseValues(site)));
    await site.plane.helm(['install', 'etcd-warden', chart, '-n', namespace, '--values', valuesFile]);
  }, 600_000);
  afterAll(() => site?.[Symbol.asyncDispose]());

  const begin = async (cronJob: string, name: string): Promise<void> =>
    void (await site.plane.kubectl(['create', 'job', '-n', namespace, `--from=cronjob/etcd-warden-${cronJob}`, name]));

  /** Why it failed, once the controller has given it up. */
  async function failureOf(name: string): Promise<string> {
    await site.plane.kubectl(['wait', '--for=condition=failed', '--timeout=90s', `job/${name}`, '-n', namespace]);
    const { status } = await site.job(namespace, name);
    return status.conditions?.find(({ type }) => type === 'Failed')?.reason ?? '';
  }

  // field: F153
  it('is tried again after a failure that may pass', async () => {
    await begin('backup', 'unlucky');
    for (const _ of [1, 2]) await reportEnd(site.plane, await site.waitForPod(namespace, 'unlucky'), 1);
    expect(await failureOf('unlucky')).toBe('BackoffLimitExceeded');
    expect(await site.podsOf(namespace, 'unlucky')).toHaveLength(2);
  });

  // field: F153
  it('is not tried again where another try would end the same: a backup is damaged', async () => {
    await begin('backup', 'sound');
    const backup = await site.waitForPod(namespace, 'sound');
    expect((await runPod(backup, site)).status).toBe(0);
    await reportEnd(site.plane, backup, 0);
    const name = (await site.s3.objectNames(site.bucket)).find((one) => one.includes('/snapshot.')) ?? '';
    const bytes = await site.s3.readObject(site.bucket, name);
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
    await site.s3.client.send(new PutObjectCommand({ Bucket: site.bucket, Key: name, Body: bytes }));
    await begin('verify', 'damaged');
    const pod = await site.waitForPod(namespace, 'damaged');
    const { status } = await runPod(pod, site);
    expect(status).toBe(3);
    await reportEnd(site.plane, pod, status);
    expect(await failureOf('damaged')).toBe('PodFailurePolicy');
    expect(await site.podsOf(namespace, 'damaged')).toHaveLength(1);
  });

  // field: F151
  it('is ended at its deadline where its pod never starts', async () => {
    await begin('backup', 'never-starts');
    await site.waitForPod(namespace, 'never-starts');
    // The chart's own would be waited for too long.
    const patch = JSON.stringify({ spec: { activeDeadlineSeconds: 3 } });
    await site.plane.kubectl(['patch', 'job', 'never-starts', '-n', namespace, '--patch', patch]);
    expect(await failureOf('never-starts')).toBe('DeadlineExceeded');
    await vi.waitFor(async () => expect(await site.podsOf(namespace, 'never-starts')).toEqual([]), 30_000);
  });

  // field: F151
  it('comes at its next time though hundreds were missed, and alone', async () => {
    const name = 'etcd-warden-backup';
    const patch = (part: object, ...more: readonly string[]): Promise<string> =>
      site.plane.kubectl(['patch', 'cronjob', name, '-n', namespace, ...more, '--patch', JSON.stringify(part)]);
    const daysAgo = new Date(Date.now() - 200 * 24 * 3_600_000).toISOString();
    await patch({ status: { lastScheduleTime: daysAgo } }, '--subresource=status');
    await patch({ spec: { schedule: '* * * * *' } });
    const wasAlone = async (): Promise<boolean> => {
      const { items } = await site.plane.get<List<Event>>(['event', '-n', namespace]);
      return items.some(({ reason, involvedObject }) => reason === 'JobAlreadyActive' && involvedObject.name === name);
    };
    await vi.waitFor(async () => expect(await wasAlone()).toBe(true), { timeout: 180_000, interval: 1000 });
    const { items } = await site.plane.get<List<Job>>(['job', '-n', namespace]);
    expect(items.filter(({ metadata }) => new RegExp(`^${name}-\\d+$`).test(metadata.name))).toHaveLength(1);
  });
});
