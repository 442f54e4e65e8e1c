import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import type { Container, PodSpec } from './kubernetes-objects.ts';

const folder = resolve(import.meta.dirname, '../../docs/sidecar');

/** The ways beside etcd that are documented. */
export const sidecars = ['static-pod', 'statefulset-patch'] as const;

export interface Sidecar {
  /** As it is documented. */
  readonly document: object;
  readonly pod: PodSpec;
  readonly container: Container;
}

export async function readSidecar(name: (typeof sidecars)[number]): Promise<Sidecar> {
  const document = parse(await readFile(resolve(folder, `${name}.yaml`), 'utf8')) as {
    spec: PodSpec & { template?: { spec: PodSpec } };
  };
  const pod = document.spec.template?.spec ?? document.spec;
  return { document, pod, container: pod.containers[0] };
}

export async function readSidecarConfig(): Promise<string> {
  return readFile(resolve(folder, 'config.yaml'), 'utf8');
}
