import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ControlPlane } from './control-plane.ts';
import type { KeyItem, Pod, Volume } from './objects.ts';

interface VolumeContext {
  readonly plane: ControlPlane;
  /** What stands for the root of the node. */
  readonly node?: string | undefined;
  readonly namespace: string;
  readonly folder: string;
  readonly pod: Pod;
}

/** The folder or file that a volume is, as a kubelet would lay it down. */
export async function provideVolume(volume: Volume, context: VolumeContext): Promise<string> {
  const { configMap, secret, emptyDir, hostPath } = volume;
  const { plane, namespace, pod, node } = context;
  const { fsGroup = 0 } = pod.spec.securityContext;
  const path = join(context.folder, 'volumes', volume.name);
  if (hostPath !== undefined) {
    if (node === undefined) throw new Error(`${volume.name} is of the node, and there is none`);
    return join(node, hostPath.path);
  }
  if ((await mkdir(path, { recursive: true })) === undefined) return path;
  await chown(path, 0, fsGroup);
  if (emptyDir !== undefined) await chmod(path, 0o2777);
  else if (configMap !== undefined) {
    const { data = {} } = await plane.get<{ data?: Record<string, string> }>([
      'configmap',
      configMap.name,
      '-n',
      namespace,
    ]);
    await project(path, data, { items: configMap.items, mode: 0o644, group: fsGroup });
  } else if (secret !== undefined) {
    const data = await readSecret(plane, namespace, secret.secretName);
    await project(path, data, { items: secret.items, mode: secret.defaultMode ?? 0o644, group: fsGroup });
  } else throw new Error(`${volume.name} is of a kind that this test does not know`);
  return path;
}

async function project(
  folder: string,
  data: Readonly<Record<string, string | Buffer>>,
  {
    items,
    mode,
    group,
  }: { readonly items: readonly KeyItem[] | undefined; readonly mode: number; readonly group: number },
): Promise<void> {
  for (const { key, path } of items ?? Object.keys(data).map((name) => ({ key: name, path: name }))) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, data[key] ?? '');
    await chown(file, 0, group);
    await chmod(file, mode);
  }
}

export async function readSecret(
  plane: ControlPlane,
  namespace: string,
  name: string,
): Promise<Record<string, Buffer>> {
  const { data = {} } = await plane.get<{ data?: Record<string, string> }>(['secret', name, '-n', namespace]);
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64')]));
}
