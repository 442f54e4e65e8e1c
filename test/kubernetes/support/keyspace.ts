import type { ControlPlane } from './control-plane.ts';
import type { List, Stored } from './objects.ts';

/** Objects as people keep them: of many kinds, some of a kind of their own. */
export async function populate(plane: ControlPlane): Promise<void> {
  await plane.kubectl(['create', 'namespace', 'shop']);
  await plane.kubectl(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: [widgets, ...ordinaryObjects()] });
  await plane.kubectl(['wait', '--for=condition=established', '--timeout=60s', 'crd/widgets.shop.example']);
  const items = Array.from({ length: 20 }, (_, index) => ({
    apiVersion: 'shop.example/v1',
    kind: 'Widget',
    metadata: { namespace: 'shop', name: `widget-${index}` },
    spec: { note: 'x'.repeat(2000) },
  }));
  await plane.kubectl(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
}

/** No objects of etcd, and what API servers hold for themselves. */
const leftOut = new Set(['componentstatuses', 'leases.coordination.k8s.io']);

/** Everything that can be listed, by uid. */
export async function readEverything(plane: ControlPlane): Promise<ReadonlyMap<string, Stored>> {
  const kinds = (await plane.kubectl(['api-resources', '--verbs=list', '--output=name'])).trim().split('\n');
  const { items } = await plane.get<List>([kinds.filter((kind) => !leftOut.has(kind)).join(','), '--all-namespaces']);
  return new Map(items.map((object) => [object.metadata.uid, object]));
}

/** What was not touched between two looks. */
export function unchanged(before: ReadonlyMap<string, Stored>, after: ReadonlyMap<string, Stored>): readonly Stored[] {
  return [...before.values()].filter(({ metadata: { uid, resourceVersion } }) => {
    return after.get(uid)?.metadata.resourceVersion === resourceVersion;
  });
}

const widgets = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.shop.example' },
  spec: {
    group: 'shop.example',
    names: { kind: 'Widget', plural: 'widgets' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { 'type': 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

function ordinaryObjects(): object[] {
  const metadata = (name: string) => ({ namespace: 'shop', name });
  const configMaps = Array.from({ length: 60 }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(`settings-${index}`),
    data: { text: `${index} `.repeat(5000) },
  }));
  const secrets = Array.from({ length: 30 }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(`secret-${index}`),
    stringData: { password: `of ${index}` },
  }));
  const labels = { app: 'web' };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata('web'),
    spec: {
      replicas: 5,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web' }] } },
    },
  };
  return [...configMaps, ...secrets, deployment];
}
