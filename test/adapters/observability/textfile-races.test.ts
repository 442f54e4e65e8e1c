import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cleanEnvironment } from '../../support/process.ts';

const clusters = ['a', 'b', 'c'];
const rounds = 40;

describe('several processes that write one textfile at once', () => {
  let folder: string;
  let path: string;
  let children: ChildProcess[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warden-races-'));
    path = join(folder, 'etcd-warden.prom');
    const fixture = join(import.meta.dirname, 'write-textfile.fixture.ts');
    children = clusters.map((cluster) =>
      spawn(process.execPath, [fixture, path, cluster, String(rounds)], { env: cleanEnvironment(), stdio: 'inherit' }),
    );
  });

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  it('never tear it, and none takes away what another one said', async () => {
    const ends = Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number | null));
    let isOver = false;
    const watching = ends.then(() => (isOver = true));
    const said = new Map<string, number>();
    while (!isOver) {
      const text = await readFile(path, 'utf8').catch(() => '');
      // Every look finds each cluster where it found it before, or later.
      const now = successesIn(text);
      for (const [cluster, round] of said) expect(now.get(cluster)).toBeGreaterThanOrEqual(round);
      for (const [cluster, round] of now) said.set(cluster, round);
      expect(text === '' || text.endsWith('\n')).toBe(true);
    }
    await watching;
    expect(await ends).toEqual(clusters.map(() => 0));
    expect(successesIn(await readFile(path, 'utf8'))).toEqual(new Map(clusters.map((cluster) => [cluster, rounds])));
    expect(await readdir(folder)).toEqual(['etcd-warden.prom']);
  });
});

function successesIn(text: string): Map<string, number> {
  const found = text.matchAll(/^etcd_warden_job_last_success_timestamp_seconds\{job="backup",cluster="(.)"\} (\d+)$/gm);
  return new Map([...found].map(([, cluster = '', round]) => [cluster, Number(round)] as const));
}
