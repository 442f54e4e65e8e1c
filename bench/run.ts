import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { startCluster } from '../test/support/etcd.ts';
import { cleanEnvironment } from '../test/support/process.ts';
import { etcdBinary, serverBinary } from '../test/support/toolchain.ts';
import { type Cost, measure, median } from './measure.ts';
import { measureStages } from './stages.ts';

/**
 * `npm run bench [rounds] [MiB]`: whole processes against `etcdctl snapshot save` of the same etcd, paired: every round
 * runs all of them one after the other, and ratios are taken within a round. Figures go to docs/performance.md by hand,
 * with the machine that gave them. Nothing else should run meanwhile.
 */
const rounds = Number(process.argv[2] ?? 5);
const databaseMiB = Number(process.argv[3] ?? 1024);
const valueBytes = 4096;
/** Makes zstd shrink the database about four times, as it does Kubernetes' own. */
const randomPercent = 20;
const limits = { backupSpeed: 0.7, peakMemoryMiB: 256 };

const project = resolve(import.meta.dirname, '..');
const folder = await mkdtemp(join(tmpdir(), 'warden-bench-'));
try {
  await using cluster = await startCluster({ version: '3.6', args: ['--quota-backend-bytes', String(8 * 2 ** 30)] });
  const endpoint = cluster.endpoints[0] ?? '';
  await fill(endpoint);
  const names = ['etcdctl save', 'backup', 'verify', 'restore'] as const;
  const costs: Record<(typeof names)[number], Cost[]> = {
    'etcdctl save': [],
    'backup': [],
    'verify': [],
    'restore': [],
  };
  const config = await writeConfig(endpoint);
  const warden = (...args: string[]): Promise<Cost> =>
    measure(process.execPath, [join(project, 'dist/main.js'), '--config', config, ...args], cleanEnvironment());
  let snapshotBytes = 0;
  for (let round = 0; round < rounds; round++) {
    const saved = join(folder, 'saved.db');
    costs['etcdctl save'].push(
      await measure(
        etcdBinary('etcdctl', '3.6'),
        ['--endpoints', endpoint, 'snapshot', 'save', saved],
        cleanEnvironment(),
      ),
    );
    snapshotBytes = (await stat(saved)).size;
    await rm(saved);
    costs.backup.push(await warden('backup'));
    costs.verify.push(await warden('verify', 'latest'));
    costs.restore.push(await warden('restore', 'latest', '--to', join(folder, 'restored.db')));
    await rm(join(folder, 'restored.db'));
    await rm(join(folder, 'repository'), { recursive: true });
    await mkdir(join(folder, 'repository'));
  }
  report(costs, snapshotBytes);
  const stages = await measureStages(endpoint, folder);
  console.log('\n| stages in one process | MB/s of snapshot |\n|---|---|');
  for (const { name, seconds } of stages) console.log(`| ${name} | ${Math.round(snapshotBytes / 1e6 / seconds)} |`);
  judge(costs);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function fill(endpoint: string): Promise<void> {
  const count = Math.round((databaseMiB * 2 ** 20) / (valueBytes * 1.15));
  const args = ['-count', count, '-size', valueBytes, '-random', randomPercent, '-batch', 64, '-endpoints', endpoint];
  await promisify(execFile)(serverBinary('etcdfill'), args.map(String), { env: cleanEnvironment() });
}

async function writeConfig(endpoint: string): Promise<string> {
  const keyFile = join(folder, 'key');
  await writeFile(keyFile, randomBytes(32));
  await mkdir(join(folder, 'repository'));
  const config = {
    cluster: { name: 'bench', endpoints: [endpoint] },
    encryption: { recipients: [{ type: 'aes-key-file', file: keyFile, name: 'bench' }] },
    repositories: [{ name: 'local', store: { type: 'directory', path: join(folder, 'repository') } }],
  };
  const path = join(folder, 'config.yaml');
  await writeFile(path, JSON.stringify(config));
  return path;
}

function report(costs: Readonly<Record<string, readonly Cost[]>>, snapshotBytes: number): void {
  const base = costs['etcdctl save'] ?? [];
  console.log(
    `${(snapshotBytes / 1e6).toFixed(0)} MB snapshot, ${rounds} rounds, ${availableParallelism()} cores of ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}\n`,
  );
  console.log('| process | wall s | speed against etcdctl | CPU s | peak memory MiB |\n|---|---|---|---|---|');
  for (const [name, runs] of Object.entries(costs)) {
    const speeds = runs.map((run, round) => (base[round]?.wallSeconds ?? Number.NaN) / run.wallSeconds);
    const cells = [
      range(
        runs.map((run) => run.wallSeconds),
        1,
      ),
      range(speeds, 2),
      range(
        runs.map((run) => run.cpuSeconds),
        1,
      ),
      range(
        runs.map((run) => run.peakMemoryBytes / 2 ** 20),
        0,
      ),
    ];
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}

/** `median (least–most)` */
function range(values: readonly number[], digits: number): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}

function judge(costs: Readonly<Record<'etcdctl save' | 'backup' | 'verify' | 'restore', readonly Cost[]>>): void {
  const ratio = (over: readonly Cost[], under: readonly Cost[]): number =>
    median(over.map((run, round) => run.wallSeconds / (under[round]?.wallSeconds ?? Number.NaN)));
  const peakMiB = Math.max(...costs.backup.map((run) => run.peakMemoryBytes)) / 2 ** 20;
  const verdicts = [
    [
      `backup at least ${limits.backupSpeed} times as fast as etcdctl`,
      ratio(costs['etcdctl save'], costs.backup) >= limits.backupSpeed,
    ],
    [`peak memory of backup at most ${limits.peakMemoryMiB} MiB`, peakMiB <= limits.peakMemoryMiB],
    ['verify no slower than backup', ratio(costs.verify, costs.backup) <= 1],
    ['restore no slower than backup', ratio(costs.restore, costs.backup) <= 1],
  ] as const;
  console.log('');
  for (const [claim, holds] of verdicts) console.log(`${holds ? 'holds' : 'FAILS'}: ${claim}`);
  if (verdicts.some(([, holds]) => !holds)) process.exitCode = 1;
}
