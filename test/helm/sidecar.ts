import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import type { Container, PodSpec } from './kubernetes-objects.ts';

const folder = resolve(import.meta.dirname, '../../docs/sidecar');

/** The ways beside etcd that are documented. */
export const sidecars = ['static-pod', 'statefulset-patch'] as const;

type SidecarContainer = Container & { readonly envFrom?: readonly { readonly secretRef: object }[] };

/** A patch says only what it adds. */
type SidecarPod = Omit<PodSpec, 'containers' | 'terminationGracePeriodSeconds'> & {
  readonly containers: readonly [SidecarContainer];
  readonly terminationGracePeriodSeconds?: number;
};

export interface Sidecar {
  /** As it is documented. */
  readonly document: object;
  readonly pod: SidecarPod;
  readonly container: SidecarContainer;
}

export async function readSidecar(name: (typeof sidecars)[number]): Promise<Sidecar> {
  const document = parse(await readFile(resolve(folder, `${name}.yaml`), 'utf8')) as {
    spec: SidecarPod & { template?: { spec: SidecarPod } };
  };
  const pod = document.spec.template?.spec ?? document.spec;
  return { document, pod, container: pod.containers[0] };
}

/** The configuration that is documented with it. */
export async function readSidecarConfig(name: (typeof sidecars)[number]): Promise<string> {
  return readFile(resolve(folder, `${name.replace('-patch', '')}-config.yaml`), 'utf8');
}
