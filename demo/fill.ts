import { Etcd3 } from 'etcd3';

const namespaces = ['default', 'kube-system', 'shop', 'payments'];
const batchSize = 100;

/** Writes some thousands of keys as an API server would, and writes a part of them again. Resolves with their number. */
export async function fillLikeKubernetes(endpoint: string): Promise<number> {
  const client = new Etcd3({ hosts: endpoint });
  try {
    const objects = [...makeObjects()];
    await putAll(client, objects);
    await putAll(
      client,
      objects.filter((_, index) => index % 5 === 0),
    );
    return objects.length;
  } finally {
    client.close();
  }
}

function* makeObjects(): Generator<[key: string, value: string]> {
  for (const namespace of namespaces) {
    for (let index = 0; index < 600; index++) {
      const name = `app-${index.toString().padStart(4, '0')}`;
      yield [`/registry/pods/${namespace}/${name}`, describe('Pod', namespace, name, 1200)];
      yield [`/registry/configmaps/${namespace}/${name}`, describe('ConfigMap', namespace, name, 600)];
      if (index % 4 === 0) yield [`/registry/leases/${namespace}/${name}`, describe('Lease', namespace, name, 200)];
      if (index % 6 === 0)
        yield [`/registry/secrets/${namespace}/${name}`, `k8s:enc:aescbc:v1:key1:${'\u0001'.repeat(300)}`];
    }
  }
}

function describe(kind: string, namespace: string, name: string, length: number): string {
  const object = JSON.stringify({
    kind,
    metadata: { namespace, name, uid: crypto.randomUUID(), labels: { app: name } },
  });
  return object.padEnd(length, `{"conditions":[{"type":"Ready","status":"True","reason":"${name}"}]}`);
}

async function putAll(client: Etcd3, objects: readonly [string, string][]): Promise<void> {
  for (let start = 0; start < objects.length; start += batchSize) {
    const puts = objects.slice(start, start + batchSize).map(([key, value]) => client.put(key).value(value));
    await Promise.all(puts.map((put) => put.exec()));
  }
}
