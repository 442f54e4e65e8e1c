import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMetrics } from '../../../src/adapters/observability/metrics.ts';
import { checkTextfileTarget, writeTextfile } from '../../../src/adapters/observability/textfile.ts';
import { WardenError } from '../../../src/errors/warden-error.ts';
import type { Metrics } from '../../../src/ports/metrics.ts';
import { wardenError } from '../../support/errors.ts';
import { canHangMounts, hangMount } from '../../support/hung-mount.ts';
import { at, repositoryFacts, tellEverything } from './everything-told.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warden-textfile-'));
  path = join(folder, 'etcd-warden.prom');
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

/** As a process of its own would: what it was told is all that it knows. */
async function run(tell: (metrics: Metrics) => void, cluster = 'prod', signal = new AbortController().signal) {
  const metrics = createMetrics({ cluster, version: '1.2.3' });
  tell(metrics);
  return writeTextfile(path, await metrics.runFacts(), signal);
}

const ended =
  (job: 'backup' | 'verify', result: 'succeeded' | 'failed', seconds: number) =>
  (metrics: Metrics): void =>
    metrics.jobEnded(job, { result, seconds: 1, at: at(seconds) });

async function series(name: string): Promise<string[]> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  return lines.filter((line) => line.startsWith(`etcd_warden_${name}{`)).map((line) => line.slice(12 + name.length));
}

describe('a textfile', () => {
  it('holds what a run hands on, for every user to read, and lies alone in its folder', async () => {
    const mask = process.umask(0o077);
    try {
      expect(await writeTextfile(path, await tellEverything().runFacts(), new AbortController().signal)).toEqual({
        lostLines: 0,
      });
    } finally {
      process.umask(mask);
    }
    expect((await stat(path)).mode & 0o777).toBe(0o644);
    expect(await readdir(folder)).toEqual(['etcd-warden.prom']);
    expect(await series('snapshot_size_bytes')).toEqual([
      '{stage="snapshot",cluster="prod"} 1000',
      '{stage="stored",cluster="prod"} 300',
    ]);
    expect(await series('build_info')).toEqual(['{version="1.2.3",cluster="prod"} 1']);
  });

  // field: F166
  it('keeps the last success when a run fails after it, and says that the last run failed', async () => {
    await run(ended('backup', 'succeeded', 1000));
    expect(await run(ended('backup', 'failed', 2000))).toEqual({ lostLines: 0 });
    expect(await series('job_last_success_timestamp_seconds')).toEqual(['{job="backup",cluster="prod"} 1000']);
    expect(await series('job_last_run_timestamp_seconds')).toEqual(['{job="backup",cluster="prod"} 2000']);
    expect(await series('job_last_run_successful')).toEqual(['{job="backup",cluster="prod"} 0']);
  });

  it('keeps what other jobs and other clusters said', async () => {
    await run(ended('backup', 'succeeded', 1000));
    await run(ended('backup', 'succeeded', 1100), 'other');
    await run(ended('verify', 'succeeded', 1200));
    await run(ended('backup', 'succeeded', 1300));
    expect(await series('job_last_success_timestamp_seconds')).toEqual([
      '{job="backup",cluster="other"} 1100',
      '{job="verify",cluster="prod"} 1200',
      '{job="backup",cluster="prod"} 1300',
    ]);
  });

  it('says of a repository what was listed last and nothing that is gone, and keeps the others', async () => {
    await run((metrics) => {
      metrics.repositoryListed('primary', repositoryFacts);
      metrics.repositoryListed('local', repositoryFacts);
    });
    const emptied = { newestBackupAt: undefined, newestVerifiedAt: undefined };
    await run((metrics) => metrics.repositoryListed('primary', { ...repositoryFacts, ...emptied }));
    expect(await series('repository_newest_backup_timestamp_seconds')).toEqual([
      '{repository="local",cluster="prod"} 4000',
    ]);
    expect(await series('repository_newest_drilled_timestamp_seconds')).toHaveLength(2);
  });

  it('names one version for a cluster, that of the last run', async () => {
    await writeFile(path, 'etcd_warden_build_info{version="1.0.0",cluster="prod"} 1\n');
    await run(ended('backup', 'succeeded', 1000));
    expect(await series('build_info')).toEqual(['{version="1.2.3",cluster="prod"} 1']);
  });

  it.each([
    ['was cut', (text: string) => text.slice(0, text.lastIndexOf('cluster='))],
    ['got a line of others', (text: string) => `${text}node_up 1\n`],
    ['has a family that this version does not know', (text: string) => `${text}etcd_warden_new{cluster="prod"} 1\n`],
  ])('that %s loses that line, and no other', async (_, damage) => {
    await run(ended('backup', 'succeeded', 1000));
    const text = await readFile(path, 'utf8');
    await writeFile(path, damage(text));
    expect(await run(ended('verify', 'failed', 2000))).toEqual({ lostLines: 1 });
    expect(await series('job_last_run_successful')).toContain('{job="backup",cluster="prod"} 1');
    expect(await readFile(path, 'utf8')).not.toMatch(/node_up|etcd_warden_new/);
  });

  it.each([
    ['is empty', '', 0],
    ['is full of zeros', '\0'.repeat(4096), 1],
    ['holds something else altogether', '<html>\n<body>\n', 2],
  ])('that %s is begun anew', async (_, text, lostLines) => {
    await writeFile(path, text);
    await checkTextfileTarget(path);
    expect(await run(ended('backup', 'succeeded', 1000))).toEqual({ lostLines });
    expect(await series('job_last_run_successful')).toEqual(['{job="backup",cluster="prod"} 1']);
  });
});

describe('a target that cannot be written', () => {
  const expectRefusal = async (...texts: readonly string[]): Promise<void> => {
    const before = await readdir(folder);
    await expect(checkTextfileTarget(path)).rejects.toEqual(wardenError('textfile-unwritable', path, ...texts));
    await expect(run(ended('backup', 'failed', 1))).rejects.toEqual(wardenError('textfile-unwritable', path, ...texts));
    expect(await readdir(folder)).toEqual(before);
  };

  it('is one whose folder is missing, or is none', async () => {
    path = join(folder, 'missing', 'x.prom');
    await expectRefusal('no such file or folder (ENOENT)');
    await writeFile(join(folder, 'file'), '');
    path = join(folder, 'file', 'x.prom');
    await expectRefusal('a part of the path is no folder (ENOTDIR)');
  });

  it('is one where nobody may make files', async () => {
    path = '/proc/self/etcd-warden.prom';
    await expectRefusal();
  });

  it('is a folder, or a link', async () => {
    await mkdir(path);
    await expectRefusal('no regular file');
    await rm(path, { recursive: true });
    await symlink('/dev/null', path);
    await expectRefusal('no regular file');
  });

  it('is a file of another program, which stays as it is', async () => {
    const text = '# HELP node_up Up.\n# TYPE node_up gauge\nnode_up{a="b"} 1\n';
    await writeFile(path, text);
    await expectRefusal('metrics of another program');
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('is a file that is far too large to be ours', async () => {
    await writeFile(path, 'etcd_warden_build_info 1\n'.repeat(50_000));
    await expectRefusal('1250000 bytes');
  });

  it('is told from one that can: nothing stays behind there', async () => {
    await checkTextfileTarget(path);
    expect(await readdir(folder)).toEqual([]);
    await run(ended('backup', 'succeeded', 1));
    await checkTextfileTarget(path);
    expect(await readdir(folder)).toEqual(['etcd-warden.prom']);
  });
});

describe('whoever writes at the same time', () => {
  const lock = (): string => join(folder, '.etcd-warden.prom.lock');

  it('is waited for, and five seconds at most', async () => {
    const limit = new AbortController();
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(limit.signal);
    await writeFile(lock(), '');
    const writing = run(ended('backup', 'succeeded', 1000));
    limit.abort(new DOMException('too late', 'TimeoutError'));
    await expect(writing).rejects.toEqual(wardenError('textfile-unwritable', 'not done within 5 s'));
    expect(await readdir(folder)).toEqual(['.etcd-warden.prom.lock']);
  });

  it('is followed at once', async () => {
    await writeFile(lock(), '');
    const writing = run(ended('backup', 'succeeded', 1000));
    await rm(lock());
    await writing;
    expect(await series('job_last_run_successful')).toHaveLength(1);
  });

  it.each([
    ['was killed half a minute ago', -31_000],
    ['was killed before the clock was set back', 3_600_000],
  ])('holds nobody up once it %s', async (_, agoMs) => {
    await writeFile(lock(), '');
    const made = new Date(Date.now() + agoMs);
    await utimes(lock(), made, made);
    await run(ended('backup', 'succeeded', 1000));
    expect(await readdir(folder)).toEqual(['etcd-warden.prom']);
  });

  it('loses nothing to us', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => run(ended('backup', 'succeeded', 1000 + index), `cluster-${index}`)),
    );
    expect(await series('job_last_success_timestamp_seconds')).toHaveLength(20);
    expect(await readdir(folder)).toEqual(['etcd-warden.prom']);
  });
});

it('a run that is told to stop does not write, and says why', async () => {
  const reason = new WardenError('deadline-exceeded', 'too late');
  await expect(run(ended('backup', 'failed', 1), 'prod', AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(await readdir(folder)).toEqual([]);
});

it.skipIf(!canHangMounts())('a folder that answers nothing holds nobody up for more than five seconds', async () => {
  const limit = new AbortController();
  vi.spyOn(AbortSignal, 'timeout').mockReturnValue(limit.signal);
  using _hung = hangMount(folder);
  const outcomes = Promise.allSettled([checkTextfileTarget(path), run(ended('backup', 'failed', 1))]);
  setImmediate(() => limit.abort(new DOMException('too late', 'TimeoutError')));
  const failed = { status: 'rejected', reason: wardenError('textfile-unwritable', 'not done within 5 s') };
  expect(await outcomes).toEqual([failed, failed]);
});
