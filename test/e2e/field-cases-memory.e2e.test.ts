import { readFile } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { startCluster } from '../support/etcd.ts';
import { startS3Server } from '../support/s3.ts';
import { makeWorkplace } from './support/defrag-command.ts';
import { fill } from './support/filled-cluster.ts';
import { awsEnvironment, cloudRepository } from './support/places.ts';
import { startSlowUplink } from './support/slow-uplink.ts';
import { requireStatus, startWarden } from './support/warden-process.ts';

// field: F061
test('a large database and a slow store take little memory, and no more while the store stands still', async () => {
  await using s3 = await startS3Server();
  await using cluster = await startCluster();
  await fill(cluster.endpoints[0] ?? '', 200);
  const bucket = await s3.makeBucket();
  await using uplink = await startSlowUplink(s3.endpoint, 24_000_000);
  await using place = await makeWorkplace();
  await place.configure({
    cluster: { name: 'test', endpoints: cluster.endpoints },
    repositories: [cloudRepository(uplink.url, bucket)],
  });
  const { configFile } = place;
  await using running = startWarden(['backup', '--json'], { configFile, env: awsEnvironment(s3.credentials) });
  const memoryMb = async (line: 'VmHWM' | 'VmRSS'): Promise<number> => {
    const text = await readFile(`/proc/${running.pid}/status`, 'utf8');
    return Number(new RegExp(`^${line}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
  };
  await vi.waitFor(() => expect(uplink.sentBytes()).toBeGreaterThan(50_000_000), 30_000);
  uplink.setBytesPerSecond(0);
  // What is on its way arrives; then the memory of a process that waits.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const [before, sent] = [await memoryMb('VmRSS'), uplink.sentBytes()];
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  expect(uplink.sentBytes()).toBe(sent);
  expect((await memoryMb('VmRSS')) - before).toBeLessThan(16);
  uplink.setBytesPerSecond(24_000_000);
  await vi.waitFor(() => expect(uplink.sentBytes()).toBeGreaterThan(180_000_000), 30_000);
  // Every queue and part was full: what docs/performance.md says of a store that does not keep up, and an eighth.
  expect(await memoryMb('VmHWM')).toBeLessThan(360);
  requireStatus(await running.ended, 0);
});
