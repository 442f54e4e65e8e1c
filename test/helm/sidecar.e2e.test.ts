import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { toolVersion } from '../../src/version.ts';
import { configOf } from '../config/minimal-config.ts';
import { serverBinary } from '../support/toolchain.ts';
import { readSidecar, readSidecarConfig, sidecars } from './sidecar.ts';

const schemas = dirname(serverBinary('schemas/v1.28.0-pod-v1.json'));

/** A StatefulSet as an operator of etcd may have it. */
const statefulSet = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'etcd', namespace: 'etcd' },
  spec: {
    serviceName: 'etcd',
    selector: { matchLabels: { app: 'etcd' } },
    template: {
      metadata: { labels: { app: 'etcd' } },
      spec: {
        containers: [
          { name: 'etcd', image: 'registry.example.com/etcd:3.6', readinessProbe: { tcpSocket: { port: 2379 } } },
        ],
        volumes: [{ name: 'data', emptyDir: {} }],
      },
    },
  },
};

describe.each(sidecars)('the configuration of %s', (name) => {
  it('is one that the agent takes', async () => {
    const { schedules, shutdownTimeout } = configOf(await readSidecarConfig(name));
    expect(schedules.backup.cron).not.toBe('');
    const { pod } = await readSidecar(name);
    // Kubernetes' own is half a minute.
    const graceSeconds = pod.terminationGracePeriodSeconds ?? 30;
    expect(graceSeconds * 1000).toBeGreaterThan(shutdownTimeout.ms);
  });

  it('names files that the pod mounts, and lies where the pod reads it', async () => {
    const { cluster } = configOf(await readSidecarConfig(name));
    const { container } = await readSidecar(name);
    const mounted = container.volumeMounts.map(({ mountPath }) => mountPath);
    const { caFile = '', certFile = '', keyFile = '' } = cluster.tls;
    for (const file of [caFile, certFile, keyFile, container.args[1] ?? ''])
      expect([file, mounted.some((path) => file === path || file.startsWith(`${path}/`))]).toEqual([file, true]);
  });
});

describe.each(sidecars)('the sidecar %s', (name) => {
  it('runs the agent of this version with nothing that it could do without', async () => {
    const { container } = await readSidecar(name);
    expect(container.image).toBe(`ghcr.io/etcd-warden/etcd-warden:${toolVersion}`);
    expect(container.args.at(-1)).toBe('run');
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.resources.limits.memory).toBe('512Mi');
    const mounted = container.volumeMounts.filter(({ mountPath }) => mountPath !== '/tmp');
    expect(mounted.every(({ readOnly }) => readOnly === true)).toBe(true);
  });
});

it('the static pod is asked where its agent listens', async () => {
  const { container } = await readSidecar('static-pod');
  const { http } = configOf(await readSidecarConfig('static-pod'));
  const { host, port } = container.livenessProbe?.httpGet ?? {};
  expect({ host, port }).toEqual(http.listen);
});

it('the static pod uses no object of the API, which it could not', async () => {
  const { pod } = await readSidecar('static-pod');
  const kinds = pod.volumes.flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'));
  expect(new Set(kinds)).toEqual(new Set(['hostPath', 'emptyDir']));
  expect(pod.serviceAccountName).toBeUndefined();
});

// BC-31
describe('the sidecar in the pod of etcd', () => {
  it('is asked nothing, and is scraped where its agent listens', async () => {
    const { container } = await readSidecar('statefulset-patch');
    const { livenessProbe, readinessProbe, startupProbe, lifecycle, ports } = container;
    expect({ livenessProbe, readinessProbe, startupProbe, lifecycle }).toEqual({});
    const { http } = configOf(await readSidecarConfig('statefulset-patch'));
    expect(http.listen).toEqual({ host: '0.0.0.0', port: 9427 });
    expect(ports).toEqual([{ name: 'warden-metrics', containerPort: http.listen.port }]);
  });

  it('keeps etcd from starting neither by what is missing nor by its turn, and takes no disk that it could be evicted for', async () => {
    const { pod, container } = await readSidecar('statefulset-patch');
    expect(Object.keys(pod)).toEqual(['containers', 'volumes']);
    const sources = [...pod.volumes, ...(container.envFrom ?? [])]
      .flatMap((source) => Object.entries(source))
      .filter(([kind]) => kind !== 'name');
    expect(sources.map(([kind]) => kind)).toEqual(['configMap', 'secret', 'secretRef']);
    for (const [, source] of sources) expect(source).toMatchObject({ optional: true });
  });
});

it.each(['1.28.0', '1.37.0'])('both are objects of Kubernetes %s', async (version) => {
  const { document: pod } = await readSidecar('static-pod');
  const { document: patch } = await readSidecar('statefulset-patch');
  const patched = withSidecar(patch as Patch);
  const { containers, volumes } = patched.spec.template.spec;
  expect(containers.map((container) => container.name).sort()).toEqual(['etcd', 'etcd-warden']);
  expect(volumes).toContainEqual({ name: 'data', emptyDir: {} });
  const location = join(schemas, '{{.NormalizedKubernetesVersion}}-{{.ResourceKind}}{{.KindSuffix}}.json');
  const args = ['-strict', '-summary', '-kubernetes-version', version, '-schema-location', location];
  const running = promisify(execFile)(serverBinary('chart/kubeconform'), args);
  running.child.stdin?.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [pod, patched] }));
  expect((await running).stdout).toContain('Valid: 2, Invalid: 0, Errors: 0, Skipped: 0');
});

type Patch = { readonly spec: { readonly template: { readonly spec: typeof statefulSet.spec.template.spec } } };

/** As the API server merges a patch: both lists are told apart by names, and nothing of the patch has a name that is taken. */
function withSidecar({ spec: { template } }: Patch): typeof statefulSet {
  const patched = structuredClone(statefulSet);
  const { containers, volumes } = patched.spec.template.spec;
  containers.push(...template.spec.containers);
  volumes.push(...template.spec.volumes);
  return patched;
}
