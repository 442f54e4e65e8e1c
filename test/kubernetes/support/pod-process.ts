import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ControlPlane } from './control-plane.ts';
import type { Image } from './image.ts';
import type { Pod } from './objects.ts';
import { variables } from './pod-environment.ts';
import { provideVolume } from './pod-volumes.ts';

/** $1 an empty folder, $2 how many mounts; of each: what, where, ro or rw; then the command. All of it goes with the process. */
const script = `
set -eu
root=$1
count=$2
shift 2
mount --make-rprivate /
mount -t tmpfs tmpfs "$root"
while [ "$count" -gt 0 ]; do
  target=$root$2
  mkdir -p "$(dirname "$target")"
  if [ -d "$1" ]; then mkdir -p "$target"; else touch "$target"; fi
  mount --rbind "$1" "$target"
  if [ "$3" = ro ]; then mount -o remount,bind,ro "$target"; fi
  shift 3
  count=$((count - 1))
done
mkdir "$root/proc"
mount -t proc proc "$root/proc"
[ ! -d /lib64 ] || ln -s usr/lib64 "$root/lib64"
ln -s usr/lib "$root/lib"
mount -o remount,ro "$root"
cd /
exec chroot "$root" "$@"
`;

export interface EndedPod {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningPod extends AsyncDisposable {
  readonly ended: Promise<EndedPod>;
  signal(name: NodeJS.Signals): void;
}

export interface PodSurroundings {
  readonly plane: ControlPlane;
  readonly image: Image;
  /** What stands for the root of the node, below which its host paths lie. */
  readonly node?: string;
  /** In place of those of its container. */
  readonly args?: readonly string[];
  /** A folder of this machine at /handover, for files that outlive the pod. */
  readonly handover?: string;
}

/**
 * A pod as a kubelet would start it: the files of the image, its volumes from the API server, its environment, command,
 * user and capabilities, on a root file system that is read-only where the pod says so, in the host's network. Needs root.
 */
export async function startPod(pod: Pod, surroundings: PodSurroundings): Promise<RunningPod> {
  const [container] = pod.spec.containers;
  const { readOnlyRootFilesystem, capabilities } = container.securityContext;
  if (!readOnlyRootFilesystem || capabilities.drop[0] !== 'ALL') throw new Error('the pod is not hardened');
  const { plane, image, args = container.args, handover } = surroundings;
  const namespace = pod.metadata.namespace ?? 'default';
  const folder = await mkdtemp(join(tmpdir(), 'warden-pod-'));
  const root = join(folder, 'root');
  await mkdir(root);
  const mounts = [...systemMounts, ...image.mounts];
  for (const { name, mountPath, subPath, readOnly } of container.volumeMounts) {
    const volume = pod.spec.volumes.find((one) => one.name === name);
    if (volume === undefined) throw new Error(`${mountPath} is a mount of ${name}, which is no volume`);
    const source = await provideVolume(volume, { ...surroundings, namespace, folder, pod });
    mounts.push([subPath === undefined ? source : join(source, subPath), mountPath, readOnly === true ? 'ro' : 'rw']);
  }
  if (handover !== undefined) mounts.push([handover, '/handover', 'rw']);
  const { runAsUser: user, runAsGroup: group = 0, fsGroup } = pod.spec.securityContext;
  const identity = [`--reuid=${user}`, `--regid=${group}`];
  const groups = fsGroup === undefined ? ['--clear-groups'] : [`--groups=${fsGroup}`];
  const confined = ['/.setpriv', ...identity, ...groups, '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all'];
  const command = [...confined, '--', ...image.entrypoint, ...args];
  const child = spawn(
    'unshare',
    ['--mount', 'sh', '-c', script, 'sh', root, `${mounts.length}`, ...mounts.flat(), ...command],
    {
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        ...image.env,
        ...(await variables(plane, namespace, container, pod)),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (printed[name] += text));
  const ended = once(child, 'close').then(async ([code, signal]: (number | string | null)[]) => {
    await rm(folder, { recursive: true, force: true });
    return { status: (code as number | null) ?? 128 + constants.signals[signal as NodeJS.Signals], ...printed };
  });
  return {
    ended,
    signal: (name) => void child.kill(name),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export async function runPod(pod: Pod, surroundings: PodSurroundings): Promise<EndedPod> {
  await using running = await startPod(pod, surroundings);
  return await running.ended;
}

/** Tells the API server what a kubelet would: the pod is over, and how. */
export async function reportEnd(plane: ControlPlane, pod: Pod, status: number): Promise<void> {
  const { name, namespace = 'default' } = pod.metadata;
  const at = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const terminated = { exitCode: status, reason: status === 0 ? 'Completed' : 'Error', startedAt: at, finishedAt: at };
  const [container] = pod.spec.containers;
  const containerStatuses = [
    { name: container.name, image: '', imageID: '', ready: false, restartCount: 0, state: { terminated } },
  ];
  const patch = { status: { phase: status === 0 ? 'Succeeded' : 'Failed', containerStatuses } };
  await plane.kubectl([
    'patch',
    'pod',
    name,
    '-n',
    namespace,
    '--subresource=status',
    '--patch',
    JSON.stringify(patch),
  ]);
}

type Mount = readonly [source: string, target: string, mode: 'ro' | 'rw'];

/** What every container has, and the base image: what Node links to. */
const systemMounts: Mount[] = [
  ['/usr/lib', '/usr/lib', 'ro'],
  ['/usr/lib64', '/usr/lib64', 'ro'],
  ['/usr/bin/setpriv', '/.setpriv', 'ro'],
  ...['/dev/null', '/dev/zero', '/dev/urandom'].map((path): Mount => [path, path, 'rw']),
];
