import type { ControlPlane } from './control-plane.ts';
import type { Container, Pod } from './objects.ts';
import { readSecret } from './pod-volumes.ts';

/** The variables that a container has of its own, and of Secrets. */
export async function variables(
  plane: ControlPlane,
  namespace: string,
  { env = [], envFrom = [] }: Container,
  pod: Pod,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { secretRef } of envFrom) {
    if (secretRef === undefined) throw new Error('envFrom of a kind that this test does not know');
    for (const [key, value] of Object.entries(await readSecret(plane, namespace, secretRef.name)))
      found[key] = value.toString();
  }
  for (const { name, value, valueFrom } of env) {
    if (valueFrom?.secretKeyRef !== undefined) {
      const { name: secret, key } = valueFrom.secretKeyRef;
      found[name] = (await readSecret(plane, namespace, secret))[key]?.toString() ?? '';
    } else if (valueFrom?.fieldRef?.fieldPath === 'metadata.name') found[name] = pod.metadata.name;
    else found[name] = value ?? '';
  }
  return found;
}
