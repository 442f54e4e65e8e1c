import { setTimeout as delay } from 'node:timers/promises';
import { join, relative, resolve } from 'node:path';
import { fillLikeKubernetes } from './fill.ts';
import { findEtcd } from './find-etcd.ts';
import { prepareFolder } from './folder.ts';
import { runStep } from './run-step.ts';
import { startThrowawayEtcd } from './throwaway-etcd.ts';

/**
 * The main job on an embedded default: a throwaway etcd with Kubernetes-like keys is backed up into a directory sealed
 * with a generated key, and the backup is listed, shown, verified, restored and checked by etcdutl.
 * With --keep the etcd stays until Ctrl-C, so that its configuration can be tried by hand.
 */
const project = resolve(import.meta.dirname, '..');
const keep = process.argv.includes('--keep');
// Whoever reads only the first lines gets them; the demo still ends what it has started.
process.stdout.on('error', () => undefined);

const binaries = await findEtcd(project);
const folder = await prepareFolder(join(project, '.demo'));
await using etcd = await startThrowawayEtcd(binaries, folder.path);
await folder.writeConfig(etcd.endpoint);
const keys = await fillLikeKubernetes(etcd.endpoint);
const config = relative(process.cwd(), folder.configFile);
console.log(`A throwaway etcd ${etcd.version} holds ${keys} keys, as a small Kubernetes cluster would.`);

const warden = (...args: readonly string[]): Promise<void> =>
  runStep(process.execPath, [join(project, 'src/main.ts'), '--config', folder.configFile, ...args], {
    shownAs: `etcd-warden --config ${config} ${args.map((arg) => relativePath(arg)).join(' ')}`,
  });
await warden('backup', '--tag', 'why=demo');
await warden('list');
await warden('show', 'latest');
await warden('verify', 'latest');
await warden('restore', 'latest', '--to', folder.restoredFile);
await runStep(binaries.etcdutl, ['snapshot', 'status', folder.restoredFile, '-w', 'table'], {
  shownAs: `etcdutl snapshot status ${relativePath(folder.restoredFile)} -w table`,
});
await runStep(binaries.etcdutl, ['snapshot', 'restore', folder.restoredFile, '--data-dir', folder.restoredData], {
  shownAs: `etcdutl snapshot restore ${relativePath(folder.restoredFile)} --data-dir ${relativePath(folder.restoredData)}`,
  quiet: true,
});

console.log(`
What happened: one snapshot was streamed from etcd, proved good while it streamed, compressed, sealed with a key file
and stored; then it was found again, read back, and written as the file that etcdutl has just restored.

Try next:
  ls -R ${relativePath(folder.repository)}              the repository: docs/format.md says what each byte means
  less ${config}             its configuration; config.example.yaml shows every key
  npm run demo -- --keep           leaves this etcd running; in another terminal:
  npm run -s etcd-warden -- --config ${config} backup`);

if (keep) {
  console.log(`\netcd runs at ${etcd.endpoint} until Ctrl-C.`);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  await delay(2 ** 31 - 1, undefined, { signal: stop.signal }).catch(() => undefined);
}

function relativePath(path: string): string {
  return path.startsWith('/') ? relative(process.cwd(), path) : path;
}
